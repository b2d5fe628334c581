from pathlib import Path

import numpy as np
import pytest

from ecgbeat.datasets._recording_annotations import checked, read_annotations


def read(tmp_path, text):
    file = tmp_path / "a_annotations.csv"
    file.write_text(text)
    sample, symbol = read_annotations(file, None)
    assert sample.dtype == np.int64
    return sample.tolist(), symbol.tolist()


@pytest.mark.parametrize(
    "text",
    [
        "sample,symbol\n5,N\n9,V\n",
        "5,N\n9,V\n",
        "5;N\n9;V\n",
        "5 N\n9 V",
        "sample\tsymbol\n5\tN\n\n9\tV\n",
        "Time,Sample,Symbol,aux\n0.1,5,N,\n0.2,9,V,(AFIB\n",
        "symbol,sample\nN,5\nV,9\n",
        "# by Ann\n'sample','symbol'\n5.0,N\n9.0,V\n",
        '"sample","symbol"\n"5","N"\n"9","V"\n',
    ],
)
def test_forms(tmp_path, text):
    assert read(tmp_path, text) == ([5, 9], ["N", "V"])


def test_symbols_that_look_like_missing_values_or_marks(tmp_path):
    assert read(tmp_path, "sample,symbol\n1,NA\n2,/\n3,+\n4,1\n")[1] == ["NA", "/", "+", "1"]


@pytest.mark.parametrize("text", ["", "sample,symbol\n", "# none\n"])
def test_no_annotations_are_annotations(tmp_path, text):
    assert read(tmp_path, text) == ([], [])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sample,label\n5,N\n", r"must have the columns .*first line has \['sample', 'label'\]"),
        ("5\n9\n", "must have the columns"),
        ("5,N,x\n", "must have the columns"),
        ("sample,symbol\n5,N\n9\n", "line 3 has 1 columns, right are 2"),
        ("sample,symbol\n5,N\nx,V\n", "line 3 has the sample 'x' and the symbol 'V'"),
        ("sample,symbol\n0.5,N\n", "line 2 has the sample '0.5'"),
        ("5,N\n9,\n", "line 2 has the sample '9' and the symbol ''"),
    ],
)
def test_damage_is_named(tmp_path, text, message):
    with pytest.raises(ValueError, match=rf"a_annotations\.csv cannot be read .*{message}"):
        read(tmp_path, text)


def test_annotations_are_put_in_order_of_time():
    annotation = checked(Path("a"), ([9, 5, 5], ["V", "N", "+"]), 10)
    assert annotation.sample.tolist() == [5, 5, 9]
    assert annotation.symbol.tolist() == ["N", "+", "V"]


@pytest.mark.parametrize(
    ("annotation", "message"),
    [
        (([10], ["N"]), "sample 10 is annotated, but the recording has 10"),
        (([-1], ["N"]), "sample -1 is annotated"),
        (([1.5], ["N"]), "must be integers"),
        (([1, 2], ["N"]), "one symbol for each"),
        (([1], None), "one symbol for each"),
        (None, "annotations of a"),
    ],
)
def test_wrong_annotations(annotation, message):
    with pytest.raises(ValueError, match=message):
        checked(Path("a"), annotation, 10)
