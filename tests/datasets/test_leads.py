import warnings

import pytest

from ecgbeat.datasets._leads import choose_leads

NAMES = ["a", "b"]
LEADS = [["MLII", "V5"], ["V5", "MLII", "V1"]]


@pytest.mark.parametrize(
    ("lead", "found"),
    [
        (None, [None, None]),
        (0, [0, 0]),
        (-1, [1, 2]),
        ("MLII", [0, 1]),
        (("V1", "V5"), [1, 2]),
        (("V1", 0), [0, 2]),
    ],
)
def test_choice(lead, found):
    assert choose_leads(NAMES, LEADS, lead) == found


@pytest.mark.parametrize("lead", [2, "aVR", ("aVR", 2), ()])
def test_a_lead_that_is_not_there(lead):
    with pytest.raises(ValueError, match=r"is not in the records a \(MLII, V5\)"):
        choose_leads(NAMES, LEADS, lead)


def test_the_first_lead_is_the_stated_fallback_and_the_warning_points_here():
    with pytest.warns(UserWarning, match=r"1 of 2 records have no lead 'V1'") as caught:
        assert choose_leads(NAMES, LEADS, "V1") == [0, 2]
    assert caught[0].filename == __file__


def test_no_warning_where_all_have_the_lead():
    with warnings.catch_warnings(action="error"):
        choose_leads(NAMES, LEADS, "V5")
