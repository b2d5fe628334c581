import math
from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.utils import Bunch

from ecgbeat.labels import Annotation
from ecgbeat.metrics import EC57Report, ec57_report

FS = 100


def annotate(symbols, shift=0):
    """Make one beat a second, the first after one second."""
    return Annotation(100 * np.arange(1, len(symbols) + 1) + shift, np.array(list(symbols)))


def report(*records, **options):
    """Report on recordings given as ("NNV", "NNN"), where "." is a second without a beat."""
    sides = [[], []]
    for record in records:
        for side, symbols in zip(sides, record, strict=True):
            beats = annotate(symbols)
            keep = beats.symbol != "."
            side.append(Annotation(beats.sample[keep], beats.symbol[keep]))
    return ec57_report(*sides, FS, **{"learning_period": 0, **options})


def counts_of(result, kind):
    return {
        name.removeprefix(f"{kind}_"): int(values.sum())
        for name, values in result.records.items()
        if name.startswith(kind) and values.dtype.kind == "i"
    }


def test_qrs_counts_beats_of_every_class():
    result = report(("NSVFQN..", "NNNNN.VQ"))
    assert counts_of(result, "qrs") == {"tp": 5, "fn": 1, "fp": 2}
    assert result.gross["qrs_sensitivity"] == 5 / 6
    assert result.gross["qrs_positive_predictivity"] == 5 / 7


ZEROS = {"tp": 0, "fn": 0, "fp": 0, "tn": 0}


@pytest.mark.parametrize(
    ("true", "found", "counted"),
    [
        ("V", "V", "tp"),
        ("V", "N", "fn"),
        ("V", "S", "fn"),
        ("V", "F", "fn"),
        ("V", "Q", "fn"),
        ("V", ".", "fn"),
        ("N", "V", "fp"),
        ("S", "V", "fp"),
        (".", "V", "fp"),
        ("F", "V", None),  # neither right nor wrong
        ("Q", "V", None),
        ("N", "N", "tn"),
        ("S", "F", "tn"),
        ("F", "Q", "tn"),
        ("Q", "S", "tn"),
        (".", "N", "tn"),
        ("N", ".", None),
    ],
)
def test_veb_counts_of_each_pair_of_classes(true, found, counted):
    expected = ZEROS | ({counted: 1} if counted else {})
    assert counts_of(report((true, found)), "veb") == expected


@pytest.mark.parametrize(
    ("true", "found", "counted"),
    [
        ("S", "S", "tp"),
        ("S", "N", "fn"),
        ("S", "V", "fn"),
        ("S", "F", "fn"),
        ("S", "Q", "fn"),
        ("S", ".", "fn"),
        ("N", "S", "fp"),
        ("V", "S", "fp"),
        ("F", "S", "fp"),
        (".", "S", "fp"),
        ("Q", "S", None),  # neither right nor wrong
        ("N", "V", "tn"),
        ("V", "N", "tn"),
        ("F", "F", "tn"),
        ("Q", "V", "tn"),
        (".", "Q", "tn"),
        ("N", ".", None),
    ],
)
def test_sveb_counts_of_each_pair_of_classes(true, found, counted):
    expected = ZEROS | ({counted: 1} if counted else {})
    assert counts_of(report((true, found)), "sveb") == expected


def test_statistics_by_hand():
    gross = report(("NNNNVVVSS.", "NNVSVVNSNV")).gross
    assert gross["veb_sensitivity"] == pytest.approx(2 / 3)
    assert gross["veb_positive_predictivity"] == pytest.approx(2 / 4)
    assert gross["veb_false_positive_rate"] == pytest.approx(2 / 7)
    assert gross["sveb_sensitivity"] == pytest.approx(1 / 2)
    assert gross["sveb_positive_predictivity"] == pytest.approx(1 / 2)
    assert gross["sveb_false_positive_rate"] == pytest.approx(1 / 8)


def test_gross_weights_beats_and_average_weights_recordings():
    result = report(("VVVV", "VVVV"), ("V", "N"))
    assert result.gross["veb_sensitivity"] == 4 / 5
    assert result.average["veb_sensitivity"] == 1 / 2


def test_average_leaves_out_recordings_without_veb():
    result = report(("VV", "VN"), ("NN", "NN"))
    np.testing.assert_array_equal(result.records["veb_sensitivity"], [0.5, np.nan])
    assert result.average["veb_sensitivity"] == 0.5


def test_undefined_statistics_are_nan():
    result = report(("NN", "NN"))
    for statistics in (result.gross, result.average):
        assert math.isnan(statistics["veb_sensitivity"])
        assert math.isnan(statistics["sveb_positive_predictivity"])
        assert statistics["veb_false_positive_rate"] == 0


def test_confusion_is_the_sum_of_the_records():
    result = report(("NV", "NN"), ("NV.", "NVQ"))
    np.testing.assert_array_equal(result.confusions.sum(axis=0), result.confusion)
    row, column = result.reference_labels.index, result.predicted_labels.index
    assert result.confusion[row("N"), column("n")] == 2
    assert result.confusion[row("V")].tolist() == [1, 0, 1, 0, 0, 0]
    assert result.confusion[row("O"), column("q")] == 1


def test_learning_period_is_five_minutes():
    beats = annotate("N" * 400)
    result = ec57_report([beats], [beats], FS)
    assert counts_of(result, "qrs")["tp"] == 101  # from second 300 to second 400


def test_tolerance_is_150_ms():
    beats = annotate("NNNN")
    within, beyond = annotate("NNNN", shift=15), annotate("NNNN", shift=16)
    result = ec57_report([beats, beats], [within, beyond], FS, learning_period=0)
    assert result.records["qrs_tp"].tolist() == [4, 0]
    wider = ec57_report([beats], [beyond], FS, learning_period=0, tolerance=0.16)
    assert wider.records["qrs_tp"].tolist() == [4]


def test_mapping_of_bxb_counts_escape_beats_as_s():
    assert report(("Nj", "NS")).gross["sveb_positive_predictivity"] == 0
    assert report(("Nj", "NS"), mapping="bxb").gross["sveb_positive_predictivity"] == 1


def test_mapping_by_a_dict_with_other_names():
    truth = ([100, 200], ["normal", "ectopic"])
    mapping = {"normal": "N", "ectopic": "V", "N": "N", "V": "V"}
    result = ec57_report([truth], [annotate("NV")], FS, learning_period=0, mapping=mapping)
    assert result.gross["veb_sensitivity"] == 1


def test_record_names():
    assert report(("N", "N"), ("N", "N")).records["record"].tolist() == ["0", "1"]
    named = report(("N", "N"), record_names=[100])
    assert named.records["record"].tolist() == ["100"]


def test_records_as_a_pandas_table():
    pandas = pytest.importorskip("pandas", reason="pandas is the extra 'data'")
    table = pandas.DataFrame(report(("NV", "NV"), ("N", "V")).records).set_index("record")
    assert table.loc["1", "veb_fp"] == 1
    assert list(table.columns[:3]) == ["qrs_tp", "qrs_fn", "qrs_fp"]


def test_recordings_without_beats():
    result = report(("", ""), ("N", ""), ("", "N"))
    np.testing.assert_array_equal(result.records["qrs_sensitivity"], [np.nan, 0, np.nan])
    np.testing.assert_array_equal(result.records["qrs_positive_predictivity"], [np.nan, np.nan, 0])


def test_one_annotation_instead_of_a_list_raises():
    with pytest.raises(
        TypeError, match=r"references must be a list .* write references=\[annotation\]"
    ):
        ec57_report(annotate("N"), [annotate("N")], FS)
    with pytest.raises(TypeError, match="predictions must be a list"):
        ec57_report([annotate("N")], annotate("N"), FS)


def test_bunch_instead_of_a_list_raises():
    with pytest.raises(TypeError, match="got Bunch"):
        ec57_report(Bunch(annotations=[]), [], FS)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (([], []), ValueError, "references must contain at least one recording"),
        (([annotate("N")], []), ValueError, "predictions must have .* got 0 for 1 recordings"),
        (([annotate("N")], [[1, 2, 3]]), ValueError, r"predictions\[0\]: .* must be a pair"),
        (([None], [annotate("N")]), ValueError, r"references\[0\]: .* must be a pair"),
        (([([5, 3], "NN")], [annotate("N")]), ValueError, r"references\[0\]: .* one symbol"),
        (([([5, 3], ["N", "N"])], [annotate("N")]), ValueError, r"\[0\]: sample must be ascending"),
        (([([0.5], ["N"])], [annotate("N")]), TypeError, r"references\[0\]: .* integers, got"),
        (([([5], [1])], [annotate("N")]), ValueError, r"references\[0\]: .* must be strings"),
        (([annotate("N")], [([5], ["normal"])]), ValueError, r"must be WFDB's .*\['normal'\]"),
    ],
)
def test_invalid_annotations_raise(arguments, error, message):
    with pytest.raises(error, match=message):
        ec57_report(*arguments, FS)


def test_unknown_symbols_of_objects_raise():
    truth = SimpleNamespace(sample=[100], symbol=["normal"])
    with pytest.raises(ValueError, match=r"must be WFDB's .*\['normal'\]"):
        ec57_report([truth], [annotate("N")], FS)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"mapping": {"N": "normal"}},
            r"must map to the AAMI classes N, S, V, F, Q, got \['normal'\]",
        ),
        ({"mapping": {"V": "V"}}, r"references\[0\]: symbols \['N'\] have no class"),
        ({"mapping": "aami"}, r"mapping must be one of \['bxb', 'literature'\]"),
        ({"learning_period": -1}, "learning_period must be 0 or greater"),
        ({"tolerance": -0.1}, "tolerance must be 0 or greater"),
        ({"record_names": ["100", "101"]}, "record_names must have one entry for each recording"),
    ],
)
def test_invalid_options_raise(options, message):
    with pytest.raises(ValueError, match=message):
        report(("N", "N"), **options)


@pytest.fixture
def printed_report():
    truth = [([100, 200, 300], ["N", "V", "N"]), ([100, 200], ["N", "N"])]
    found = [([100, 300], ["N", "N"]), ([100, 200, 250], ["N", "S", "V"])]
    return ec57_report(
        truth, found, 100, learning_period=0, record_names=["a_rather_long_name", "b"]
    )


def row(report, name):
    """Return the cells of one line of the summary."""
    (line,) = (line for line in str(report).splitlines() if line.split()[:1] == [name])
    return line.split()[1:]


def test_summary_has_a_line_for_each_recording(printed_report):
    assert row(printed_report, "a_rather_long_name") == [
        "3", "1", "0", "66.67", "100.00", "0.00", "-", "0.000", "-", "-", "0.000",
    ]  # fmt: skip


def test_undefined_statistics_are_printed_as_a_dash(printed_report):
    assert row(printed_report, "b")[5:7] == ["-", "0.00"]


def test_summary_has_sum_gross_and_average(printed_report):
    assert row(printed_report, "Sum") == ["5", "1", "0"]
    assert row(printed_report, "Gross")[:2] == ["80.00", "80.00"]
    assert row(printed_report, "Average")[:2] == ["83.33", "83.33"]


def test_columns_of_the_summary_are_aligned(printed_report):
    lines = str(printed_report).splitlines()
    head = next(line for line in lines if line.startswith("Record"))
    ends = {len(line) for line in lines if line.startswith(("a_rather", "b ", "Gross", "Average"))}
    assert ends == {len(head)}


def test_summary_ends_with_the_confusion_matrix(printed_report):
    lines = [line.split() for line in str(printed_report).splitlines()[-7:]]
    assert lines[0] == ["n", "s", "v", "f", "q", "o"]
    assert lines[1] == ["N", "3", "1", "0", "0", "0", "0"]
    assert lines[6] == ["O", "0", "0", "1", "0", "0", "-"]


def test_print_shows_the_summary(printed_report):
    assert printed_report.summary() == str(printed_report)


def test_summary_of_one_recording_is_in_the_singular():
    beats = (np.array([100]), ["N"])
    assert "comparison of 1 record\n" in str(ec57_report([beats], [beats], 100))


@pytest.fixture(scope="module")
def mitdb(real_data):
    pytest.importorskip("wfdb", reason="reading MIT-BIH takes the extra 'data'")
    from ecgbeat.datasets import load_wfdb

    names = ["100", "200", "207", "217", "232"]
    return load_wfdb(real_data / "mitdb", names)


def test_real_annotations_match_themselves(mitdb):
    result = ec57_report(
        mitdb.annotations, mitdb.annotations, mitdb.fs, record_names=mitdb.record_names
    )
    assert isinstance(result, EC57Report)
    assert np.array_equal(result.confusion, np.diag(np.diag(result.confusion)))
    assert result.gross["qrs_sensitivity"] == result.gross["veb_positive_predictivity"] == 1
    assert result.average["sveb_sensitivity"] == 1
    # counted by hand with wfdb: beats from sample 108,000 on, by record
    n_late = [
        np.sum(np.isin(symbol[sample >= 108_000], list("NLRBAaJSVrFejnE/fQ?")))
        for sample, symbol in mitdb.annotations
    ]
    assert result.records["qrs_tp"].tolist() == n_late


def test_detections_on_flutter_waves_of_record_207_are_no_false_positives(mitdb):
    sample, symbol = mitdb.annotations[2]
    beats = np.isin(symbol, list("NLRBAaJSVrFejnE/fQ!"))
    detections = Annotation(sample[beats], np.where(symbol == "!", "V", symbol)[beats])
    result = ec57_report([mitdb.annotations[2]], [detections], mitdb.fs)
    assert np.sum(symbol == "!") == 472
    assert result.gross["qrs_positive_predictivity"] == 1
