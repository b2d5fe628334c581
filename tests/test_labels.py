from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecgbeat.labels import AAMI_MAPPINGS, BEAT_SYMBOLS, Annotation, is_beat, select_beats, to_aami

beat_symbols = st.sampled_from(sorted(BEAT_SYMBOLS))


def test_there_are_nineteen_beat_symbols():
    assert len(BEAT_SYMBOLS) == 19


@pytest.mark.parametrize("symbol", list('+~|!x[]"^stpu()='))
def test_marks_that_are_no_beats(symbol):
    assert not is_beat([symbol]).any()


@given(st.lists(st.characters(min_codepoint=33, max_codepoint=126), max_size=50))
def test_is_beat_agrees_with_the_set(symbols):
    assert is_beat(symbols).tolist() == [symbol in BEAT_SYMBOLS for symbol in symbols]


def test_is_beat_keeps_the_shape():
    assert is_beat(np.full((2, 3), "N")).shape == (2, 3)


@pytest.mark.parametrize("mapping", sorted(AAMI_MAPPINGS))
def test_every_beat_symbol_has_a_class_and_nothing_else_has(mapping):
    assert set(AAMI_MAPPINGS[mapping]) == BEAT_SYMBOLS


@pytest.mark.parametrize(
    ("aami", "symbols"), [("N", "NLRej"), ("S", "AaJS"), ("V", "VE"), ("F", "F"), ("Q", "/fQ")]
)
def test_classes_of_the_literature(aami, symbols):
    assert set(to_aami(list(symbols))) == {aami}


def test_bxb_differs_in_the_escape_beats_alone():
    symbols = np.array(sorted(BEAT_SYMBOLS))
    differs = to_aami(symbols, "bxb") != to_aami(symbols)
    assert set(symbols[differs]) == {"e", "j", "n"}
    assert set(to_aami(symbols[differs], "bxb")) == {"S"}


@given(st.lists(beat_symbols, max_size=50))
def test_mapping_is_done_element_by_element(symbols):
    expected = [AAMI_MAPPINGS["literature"][symbol] for symbol in symbols]
    assert to_aami(symbols).tolist() == expected


@given(
    st.dictionaries(beat_symbols, st.integers(-5, 5), min_size=1),
    st.lists(beat_symbols, max_size=30),
)
def test_any_dict_maps_to_its_values_or_to_unknown(mapping, symbols):
    result = to_aami(symbols, mapping, unknown=99)
    assert result.tolist() == [mapping.get(symbol, 99) for symbol in symbols]
    assert result.dtype.kind == "i"


def test_mapping_keeps_the_shape():
    assert to_aami(np.full((2, 3), "A")).tolist() == [["S"] * 3] * 2


def test_no_symbols_give_no_classes_of_the_same_type():
    result = to_aami([])
    assert result.shape == (0,)
    assert result.dtype.kind == "U"


def test_a_mark_that_is_no_beat_is_an_error_that_says_so():
    with pytest.raises(ValueError, match=r"symbols \['\+'\] have no class.*mark no beat"):
        to_aami(["N", "+"])


def test_a_beat_that_a_dict_does_not_name_is_an_error_that_says_so():
    with pytest.raises(ValueError, match=r"symbols \['V'\] have no class.*add them to the dict"):
        to_aami(["N", "V"], {"N": 0})


@pytest.mark.parametrize("mapping", ["aami", None, 3])
def test_an_unknown_mapping_is_an_error_that_lists_the_known(mapping):
    with pytest.raises(ValueError, match=r"\['bxb', 'literature'\]"):
        to_aami(["N"], mapping)


def test_an_empty_mapping_is_an_error():
    with pytest.raises(ValueError, match="empty dict"):
        to_aami([], {})


@pytest.mark.parametrize("function", [is_beat, to_aami])
def test_numbers_are_no_symbols(function):
    with pytest.raises(ValueError, match="must be strings"):
        function([0, 1])


def test_symbols_of_object_arrays_are_understood():
    assert to_aami(np.array(["N", "V"], dtype=object)).tolist() == ["N", "V"]


def test_select_beats_drops_what_is_no_beat():
    selected = select_beats(Annotation(np.array([1, 2, 3]), np.array(["+", "N", "~"])))
    assert (selected.sample.tolist(), selected.symbol.tolist()) == ([2], ["N"])


def test_select_beats_by_symbol_keeps_the_order():
    selected = select_beats(([1, 2, 3, 4], ["V", "N", "L", "V"]), symbols=("N", "V"))
    assert (selected.sample.tolist(), selected.symbol.tolist()) == ([1, 2, 4], ["V", "N", "V"])


def test_select_beats_gives_int64_also_for_nothing():
    assert select_beats(([], [])).sample.dtype == np.int64


@pytest.mark.parametrize(
    ("annotation", "message"),
    [
        ([1, 2, 3], "must be a pair"),
        (None, "must be a pair"),
        (([1, 2], ["N"]), "one symbol for each"),
        (([[1, 2]], [["N", "N"]]), "one symbol for each"),
        (([0.5], ["N"]), "must be integers"),
    ],
)
def test_what_is_no_annotation_is_an_error(annotation, message):
    with pytest.raises(ValueError, match=message):
        select_beats(annotation)


def test_select_beats_takes_what_has_samples_and_symbols():
    annotation = SimpleNamespace(sample=np.array([18, 77]), symbol=["+", "N"], aux_note=["(N", ""])
    assert select_beats(annotation).sample.tolist() == [77]
