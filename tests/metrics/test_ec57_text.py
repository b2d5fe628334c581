import numpy as np
import pytest

from ecgbeat.metrics import ec57_report


@pytest.fixture
def report():
    truth = [([100, 200, 300], ["N", "V", "N"]), ([100, 200], ["N", "N"])]
    found = [([100, 300], ["N", "N"]), ([100, 200, 250], ["N", "S", "V"])]
    return ec57_report(
        truth, found, 100, learning_period=0, record_names=["a_rather_long_name", "b"]
    )


def row(report, name):
    (line,) = (line for line in str(report).splitlines() if line.split()[:1] == [name])
    return line.split()[1:]


def test_a_line_for_each_record(report):
    assert row(report, "a_rather_long_name") == [
        "3", "1", "0", "66.67", "100.00", "0.00", "-", "0.000", "-", "-", "0.000",
    ]  # fmt: skip


def test_a_dash_for_what_is_not_defined(report):
    assert row(report, "b")[5:7] == ["-", "0.00"]


def test_sum_gross_and_average(report):
    assert row(report, "Sum") == ["5", "1", "0"]
    assert row(report, "Gross")[:2] == ["80.00", "80.00"]
    assert row(report, "Average")[:2] == ["83.33", "83.33"]


def test_columns_stand_below_each_other(report):
    lines = str(report).splitlines()
    head = next(line for line in lines if line.startswith("Record"))
    ends = {len(line) for line in lines if line.startswith(("a_rather", "b ", "Gross", "Average"))}
    assert ends == {len(head)}


def test_confusion_stands_below(report):
    lines = [line.split() for line in str(report).splitlines()[-7:]]
    assert lines[0] == ["n", "s", "v", "f", "q", "o"]
    assert lines[1] == ["N", "3", "1", "0", "0", "0", "0"]
    assert lines[6] == ["O", "0", "0", "1", "0", "0", "-"]


def test_summary_is_what_print_shows(report):
    assert report.summary() == str(report)


def test_one_record_is_not_several():
    beats = (np.array([100]), ["N"])
    assert "comparison of 1 record\n" in str(ec57_report([beats], [beats], 100))
