import numpy as np
import pytest

from ecgbeat.datasets import load_heartbeat_csv, load_wfdb, match_kaggle_beats
from ecgbeat.datasets.kaggle.matching import cut_rows_of_record
from ecgbeat.labels import Annotation


@pytest.fixture
def folder(tmp_path, write_record):
    mitdb = tmp_path / "mitdb"
    write_record(mitdb, "100", n_times=2000)
    write_record(mitdb, "201", n_times=2100)
    write_record(mitdb, "202", n_times=2200)
    return mitdb


@pytest.fixture
def rows(folder):
    """The rows of all records, by the rule in a few lines, as the CSV file has them."""
    made = []
    for x in load_wfdb(folder, dtype=np.float64).recordings:
        end = len(x)
        for start, stop in [(300, int(1000 + 0.2 * (end - 1 - 1000))), (1000, end - 1)]:
            segment = x[start:stop:3]
            made.append(((segment - segment.min()) / np.ptp(segment))[:187])
    return np.array(made, np.float32)


def test_every_row_is_found(folder, rows):
    found = match_kaggle_beats(rows, folder)
    assert found.record.tolist() == ["100", "100", "201", "201", "202", "202"]
    assert found.groups.tolist() == ["100", "100", "201", "201", "201", "201"]
    assert found.sample.tolist() == [300, 1000] * 3
    assert found.symbol.tolist() == ["N", "V"] * 3
    assert found.matched.all()
    assert (found.share_matched, found.n_ambiguous) == (1.0, 0)


def test_any_rows_in_any_order(folder, rows):
    order = np.array([4, 0, 4, 1])
    found, every = match_kaggle_beats(rows[order], folder), match_kaggle_beats(rows, folder)
    for name in ("groups", "record", "sample", "symbol"):
        np.testing.assert_array_equal(found[name], every[name][order])


def test_one_row(folder, rows):
    assert match_kaggle_beats(rows[3], folder).record.tolist() == ["201"]


def test_more_rows_than_are_compared_at_once(folder, rows):
    found = match_kaggle_beats(np.tile(rows, (1500, 1)), folder)
    assert len(found.record) == 9000
    np.testing.assert_array_equal(found.record, np.tile(np.repeat(["100", "201", "202"], 2), 1500))


def test_other_rows_have_no_match(folder, rows):
    X = np.concatenate([rows[:1], np.random.default_rng(0).random((2, 187)), np.zeros((1, 187))])
    found = match_kaggle_beats(X, folder)
    assert found.matched.tolist() == [True, False, False, False]
    assert found.groups.tolist() == ["100", "", "", ""]
    assert found.record.tolist() == ["100", "", "", ""]
    assert found.symbol.tolist() == ["N", "", "", ""]
    assert found.sample.tolist() == [300, -1, -1, -1]
    assert found.share_matched == 0.25


@pytest.mark.parametrize(("change", "is_found"), [(9e-7, True), (1.1e-6, False)])
@pytest.mark.parametrize("column", [0, 186])
def test_one_value_beyond_the_tolerance_is_no_match(folder, rows, change, is_found, column):
    changed = rows.astype(np.float64)
    changed[0, column] += change
    assert match_kaggle_beats(changed, folder).matched[0] == is_found


def test_rounded_rows_need_a_larger_tolerance(folder, rows):
    rounded = rows.round(4)
    assert match_kaggle_beats(rounded, folder).share_matched == 0
    assert match_kaggle_beats(rounded, folder, tolerance=1e-4).share_matched == 1


def test_equal_beats_of_several_patients_are_ambiguous(tmp_path, write_record, rows):
    for name in ("100", "103", "105"):  # one seed, one signal
        write_record(tmp_path / "equal", name)
    found = match_kaggle_beats(rows, tmp_path / "equal")
    assert found.record.tolist() == ["100", "100", "", "", "", ""]
    assert found.ambiguous.tolist() == [True, True, False, False, False, False]
    assert found.n_ambiguous == 2


def test_equal_beats_of_one_patient_are_not_ambiguous(tmp_path, write_record, rows):
    for name in ("201", "202"):
        write_record(tmp_path / "equal", name)
    found = match_kaggle_beats(rows[:2], tmp_path / "equal")
    assert found.record.tolist() == ["201", "201"]
    assert found.n_ambiguous == 0


def test_a_choice_of_records(folder, rows):
    found = match_kaggle_beats(rows, folder, records=["201"])
    assert found.record.tolist() == ["", "", "201", "201", "", ""]


def test_data_home_is_the_default(folder, rows, monkeypatch):
    monkeypatch.setenv("ECGBEAT_DATA", str(folder.parent))
    assert match_kaggle_beats(rows).share_matched == 1


@pytest.mark.parametrize("X", [[], np.empty((0, 187))])
def test_no_rows(folder, X):
    found = match_kaggle_beats(X, folder)
    assert found.groups.shape == found.sample.shape == found.matched.shape == (0,)
    assert np.isnan(found.share_matched)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_rows_that_are_not_finite_raise(folder, rows, bad):
    rows[1, 5] = bad
    with pytest.raises(ValueError, match=r"1 of 1122 values .* first at X\[1, 5\]"):
        match_kaggle_beats(rows, folder)


def test_rows_with_label_raise(folder):
    with pytest.raises(ValueError, match=r"shape \(3, 188\)\. Leave out the label .*X\[:, :-1\]"):
        match_kaggle_beats(np.zeros((3, 188)), folder)


@pytest.mark.parametrize("shape", [(3, 186), (5,), (2, 1, 187)])
def test_other_shapes_raise(folder, shape):
    with pytest.raises(ValueError, match="must have the 187 columns"):
        match_kaggle_beats(np.zeros(shape), folder)


@pytest.mark.parametrize("tolerance", [0, -1, 0.1, np.nan])
def test_invalid_tolerance_raises(folder, rows, tolerance):
    with pytest.raises(ValueError, match="tolerance must be"):
        match_kaggle_beats(rows, folder, tolerance=tolerance)


def test_missing_database_error_names_the_source(tmp_path, rows):
    with pytest.raises(FileNotFoundError, match=r"physionet\.org/content/mitdb"):
        match_kaggle_beats(rows, tmp_path / "nowhere")


def rebuild(signal, sample, symbol):
    rows, beats = cut_rows_of_record(signal, Annotation(np.array(sample), np.array(symbol)))
    return rows, beats.sample.tolist(), beats.symbol.tolist()


RAMP = np.arange(1000.0)


def test_a_row_ends_a_fifth_of_an_interval_behind_the_next_annotation():
    rows, *_ = rebuild(RAMP, [100, 200, 350, 400], ["N", "V", "N", "N"])
    # 100, 103, ... below 200 + 0.2 * 150 = 230: 44 samples
    np.testing.assert_allclose(rows[0, :44], np.arange(44) / 43)
    assert not rows[0, 44:].any()


def test_annotations_of_any_kind_end_a_row():
    rows, sample, symbol = rebuild(RAMP, [100, 130, 160, 400], ["N", "+", "~", "N"])
    assert (sample, symbol) == ([100], ["N"])
    assert np.count_nonzero(rows[0]) == 11  # 100, 103, ... below 136, the first of them 0


def test_end_of_record_follows_the_last_annotation():
    rows, *_ = rebuild(RAMP, [500, 900], ["N", "N"])
    assert np.count_nonzero(rows[0]) == 139  # below 900 + 0.2 * 100


def test_long_rows_are_cut_after_scaling():
    rows, *_ = rebuild(RAMP, [0, 900], ["N", "N"])
    assert rows.shape == (1, 187)
    assert rows[0, -1] == pytest.approx(186 * 3 / 918)


def test_constant_and_empty_rows_are_nan():
    rows, sample, _ = rebuild(np.ones(1000), [100, 300, 300, 301], ["N", "V", "N", "N"])
    assert sample == [100, 300, 300]
    assert np.isnan(rows).all()


@pytest.mark.parametrize("symbols", [["+"], ["N"], []])
def test_records_without_a_beat_but_the_last_have_no_rows(symbols):
    rows, sample, _ = rebuild(RAMP, np.arange(len(symbols)), np.array(symbols, str))
    assert (rows.shape, sample) == ((0, 187), [])


@pytest.fixture(scope="module")
def kaggle(real_data):
    pytest.importorskip("wfdb", reason="reading MIT-BIH takes the extra 'data'")
    if not (real_data / "kaggle_heartbeat").is_dir() or not (real_data / "mitdb").is_dir():
        pytest.skip("ECGBEAT_DATA holds no kaggle_heartbeat or no mitdb")
    return load_heartbeat_csv(real_data / "kaggle_heartbeat", subset="test")


def test_real_rows_of_some_records(real_data, kaggle):
    records = ["102", "201", "202", "207", "232"]
    rows = np.isin(kaggle.records, records)
    found = match_kaggle_beats(kaggle.data[rows], real_data / "mitdb", records=records)
    assert found.share_matched == 1
    np.testing.assert_array_equal(found.record, kaggle.records[rows])
    np.testing.assert_array_equal(found.groups, kaggle.groups[rows])
    np.testing.assert_array_equal(found.sample, kaggle.r_peaks[rows])
    np.testing.assert_array_equal(found.symbol, kaggle.symbols[rows])


@pytest.mark.slow
def test_real_rows_of_all_records(real_data, kaggle):
    found = match_kaggle_beats(kaggle.data, real_data / "mitdb")
    assert (found.share_matched, found.n_ambiguous) == (1, 0)
    np.testing.assert_array_equal(found.record, kaggle.records)
    np.testing.assert_array_equal(found.sample, kaggle.r_peaks)
