import pytest

from ecgbeat.plotting._legend import legend_columns


@pytest.mark.parametrize(
    ("names", "width", "expected"),
    [
        ([], 5.0, 1),
        (["N"], 5.0, 1),
        (["N", "V", "F"], 5.0, 3),
        (["N", "V", "F"], 0.3, 1),
        (["a very long name of a class"] * 4, 3.0, 1),
        (["a very long name of a class"] * 4, 5.0, 2),
    ],
)
def test_as_many_columns_as_fit(names, width, expected):
    assert legend_columns(names, width) == expected


def test_a_long_name_widens_its_own_column_only():
    names = ["N", "V", "F", "a very long name of a class"]
    assert legend_columns(names, 4.0) == 4
