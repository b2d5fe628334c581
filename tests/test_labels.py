from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecgbeat.labels import (
    AAMI_MAPPINGS,
    BEAT_SYMBOLS,
    Annotation,
    is_beat,
    label_beats,
    select_beats,
    to_aami,
)

beat_symbols = st.sampled_from(sorted(BEAT_SYMBOLS))
ANNOTATION = Annotation(np.array([5, 10, 20, 30, 40]), np.array(["+", "N", "V", "A", "!"]))


def test_there_are_nineteen_beat_symbols():
    assert len(BEAT_SYMBOLS) == 19


@pytest.mark.parametrize("symbol", list('+~|!x[]"^stpu()='))
def test_non_beat_symbols(symbol):
    assert not is_beat([symbol]).any()


@given(st.lists(st.characters(min_codepoint=33, max_codepoint=126), max_size=50))
def test_is_beat_is_membership_in_beat_symbols(symbols):
    assert is_beat(symbols).tolist() == [symbol in BEAT_SYMBOLS for symbol in symbols]


def test_is_beat_keeps_the_shape():
    assert is_beat(np.full((2, 3), "N")).shape == (2, 3)


@pytest.mark.parametrize("mapping", sorted(AAMI_MAPPINGS))
def test_mappings_contain_exactly_the_beat_symbols(mapping):
    assert set(AAMI_MAPPINGS[mapping]) == BEAT_SYMBOLS


@pytest.mark.parametrize(
    ("aami", "symbols"), [("N", "NLRej"), ("S", "AaJS"), ("V", "VE"), ("F", "F"), ("Q", "/fQ")]
)
def test_classes_of_the_literature(aami, symbols):
    assert set(to_aami(list(symbols))) == {aami}


def test_bxb_differs_in_the_escape_beats_only():
    symbols = np.array(sorted(BEAT_SYMBOLS))
    differs = to_aami(symbols, "bxb") != to_aami(symbols)
    assert set(symbols[differs]) == {"e", "j", "n"}
    assert set(to_aami(symbols[differs], "bxb")) == {"S"}


@given(st.lists(beat_symbols, max_size=50))
def test_symbols_are_mapped_elementwise(symbols):
    expected = [AAMI_MAPPINGS["literature"][symbol] for symbol in symbols]
    assert to_aami(symbols).tolist() == expected


@given(
    st.dictionaries(beat_symbols, st.integers(-5, 5), min_size=1),
    st.lists(beat_symbols, max_size=30),
)
def test_dict_maps_to_its_values_or_unknown(mapping, symbols):
    result = to_aami(symbols, mapping, unknown=99)
    assert result.tolist() == [mapping.get(symbol, 99) for symbol in symbols]
    assert result.dtype.kind == "i"


def test_mapping_keeps_the_shape():
    assert to_aami(np.full((2, 3), "A")).tolist() == [["S"] * 3] * 2


def test_classes_without_symbols_are_an_empty_array_of_str():
    result = to_aami([])
    assert result.shape == (0,)
    assert result.dtype.kind == "U"


def test_non_beat_symbol_raises():
    with pytest.raises(ValueError, match=r"symbols \['\+'\] have no class.*mark no beat"):
        to_aami(["N", "+"])


def test_beat_symbol_missing_in_a_dict_raises():
    with pytest.raises(ValueError, match=r"symbols \['V'\] have no class.*add them to the dict"):
        to_aami(["N", "V"], {"N": 0})


@pytest.mark.parametrize("mapping", ["aami", None, 3])
def test_unknown_mapping_raises(mapping):
    with pytest.raises(ValueError, match=r"\['bxb', 'literature'\]"):
        to_aami(["N"], mapping)


def test_empty_mapping_raises():
    with pytest.raises(ValueError, match="empty dict"):
        to_aami([], {})


@pytest.mark.parametrize("function", [is_beat, to_aami])
def test_numbers_as_symbols_raise(function):
    with pytest.raises(ValueError, match="must be strings"):
        function([0, 1])


def test_symbols_in_object_arrays_are_mapped():
    assert to_aami(np.array(["N", "V"], dtype=object)).tolist() == ["N", "V"]


def test_select_beats_leaves_out_non_beat_annotations():
    selected = select_beats(Annotation(np.array([1, 2, 3]), np.array(["+", "N", "~"])))
    assert (selected.sample.tolist(), selected.symbol.tolist()) == ([2], ["N"])


def test_select_beats_by_symbol_keeps_the_order():
    selected = select_beats(([1, 2, 3, 4], ["V", "N", "L", "V"]), symbols=("N", "V"))
    assert (selected.sample.tolist(), selected.symbol.tolist()) == ([1, 2, 4], ["V", "N", "V"])


def test_select_beats_returns_int64_for_an_empty_annotation():
    assert select_beats(([], [])).sample.dtype == np.int64


@pytest.mark.parametrize(
    ("annotation", "error", "message"),
    [
        ([1, 2, 3], ValueError, "must be a pair"),
        (None, ValueError, "must be a pair"),
        (([1, 2], ["N"]), ValueError, "one symbol for each"),
        (([[1, 2]], [["N", "N"]]), ValueError, "must be a 1-D array"),
        (([0.5], ["N"]), TypeError, "integers, got dtype float64"),
        (([1], [1]), ValueError, "must be strings"),
    ],
)
@pytest.mark.parametrize("function", [select_beats, label_beats])
def test_invalid_annotation_raises(function, annotation, error, message):
    with pytest.raises(error, match=message):
        function(annotation)


def test_select_beats_of_an_object_with_sample_and_symbol():
    annotation = SimpleNamespace(sample=np.array([18, 77]), symbol=["+", "N"], aux_note=["(N", ""])
    assert select_beats(annotation).sample.tolist() == [77]


@pytest.mark.parametrize(
    ("symbols", "mapping", "sample", "label", "left_out"),
    [
        (None, None, [10, 20, 30], ["N", "V", "A"], []),
        (("N", "V"), None, [10, 20], ["N", "V"], [30]),
        ("NV", None, [10, 20], ["N", "V"], [30]),
        (("N", "!"), None, [10, 40], ["N", "!"], [20, 30]),
        (None, "literature", [10, 20, 30], ["N", "V", "S"], []),
        ({"A"}, "bxb", [30], ["S"], [10, 20]),
        (None, {"N": 0, "A": 1}, [10, 30], [0, 1], [20]),
        (None, {"V": "v", "!": "v"}, [20, 40], ["v", "v"], [10, 30]),
        (("N", "V"), {"N": 0, "A": 1}, [10], [0], [20, 30]),
        ((), None, [], [], [10, 20, 30]),
    ],
)
def test_label_beats_scores_selected_beats(symbols, mapping, sample, label, left_out):
    beats = label_beats(ANNOTATION, symbols, mapping, n_times=50)
    assert beats.sample[beats.is_scored].tolist() == sample
    assert beats.label[beats.is_scored].tolist() == label
    assert beats.sample[~beats.is_scored].tolist() == left_out


def test_label_beats_sorts_by_sample():
    beats = label_beats(([30, 10, 20], ["N", "V", "A"]))
    assert beats.sample.tolist() == [10, 20, 30]
    assert beats.label.tolist() == ["V", "A", "N"]


@pytest.mark.parametrize(("sample", "first"), [(30, 30), (-1, -1)])
def test_label_beats_outside_the_recording_raises(sample, first):
    with pytest.raises(ValueError, match=f"recording of 30 samples, .* first at {first}"):
        label_beats(([sample], ["N"]), n_times=30)


def test_label_beats_ignores_non_beat_annotations_outside_the_recording():
    assert label_beats(([-1, 5], ["+", "N"]), n_times=30).sample.tolist() == [5]
