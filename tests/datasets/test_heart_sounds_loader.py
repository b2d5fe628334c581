from pathlib import Path

import numpy as np
import pytest
import soundfile
from sklearn.model_selection import GroupKFold

from ecgbeat.datasets import load_heart_sounds
from ecgbeat.datasets.heart_sounds.loader import _window_starts, _Windows


@pytest.fixture
def folder(tmp_path, write_sine):
    """Two labels, three rates and formats, 1, 2 and 3 seconds."""
    write_sine(tmp_path / "normal" / "b.wav", fs=8000, duration=1, frequency=50)
    write_sine(tmp_path / "murmur" / "c.FLAC", fs=44100, duration=2, frequency=200)
    write_sine(tmp_path / "murmur" / "ann" / "a.mp3", fs=16000, duration=3, frequency=300)
    (tmp_path / "normal" / "list.csv").write_text("b.wav,normal\n")
    return tmp_path


def frequency_of(row, fs):
    return np.argmax(np.abs(np.fft.rfft(row))) * fs / len(row)


def test_a_row_for_each_file_in_the_order_of_the_paths(folder):
    sounds = load_heart_sounds(folder, duration=1)
    assert sounds.data.shape == (3, 4000)
    assert sounds.data.dtype == np.float32
    assert [frequency_of(row, 4000) for row in sounds.data] == [300, 200, 50]
    assert np.abs(sounds.data).max(axis=1) == pytest.approx(0.5, abs=0.02)
    assert sounds.target.tolist() == ["murmur", "murmur", "normal"]
    assert sounds.target_names == ["murmur", "normal"]
    assert sounds.groups.tolist() == ["murmur/ann/a.mp3", "murmur/c.FLAC", "normal/b.wav"]
    assert sounds.filenames.tolist() == [
        str(folder / name) for name in sounds.groups.tolist()
    ]  # each file is its own group
    assert sounds.file_index.tolist() == [0, 1, 2]
    assert sounds.starts.tolist() == [0, 0, 0]
    assert sounds.fs == 4000.0
    assert sounds.skipped == {}
    assert sounds.left_out == {"no_label": [], "other_label": [], "too_short": []}
    assert "3 of 3 files" in sounds.DESCR


def test_a_longer_file_is_cut_and_a_shorter_one_padded_at_the_end(folder):
    sounds = load_heart_sounds(folder, fs=2000, duration=2.5)
    whole = load_heart_sounds(folder, fs=2000, duration=10)
    np.testing.assert_array_equal(sounds.data, whole.data[:, :5000])
    assert sounds.data[0, -100:].any()
    assert not sounds.data[2, 2000:].any()
    assert sounds.data[2, 1900:2000].any()


@pytest.mark.parametrize(
    ("fs", "duration", "n_times"), [(2000, 1.5, 3000), (1000.5, 1, 1000), (4000, 0.1, 400)]
)
def test_the_length_of_rows(folder, fs, duration, n_times):
    assert load_heart_sounds(folder, fs=fs, duration=duration).data.shape == (3, n_times)


@pytest.mark.parametrize(("min_duration", "n_left"), [(0, 3), (1, 3), (1.01, 2), (2.5, 1)])
def test_shorter_files_are_left_out_and_listed(folder, min_duration, n_left):
    sounds = load_heart_sounds(folder, duration=1, min_duration=min_duration)
    assert len(sounds.data) == n_left
    assert len(sounds.left_out["too_short"]) == 3 - n_left
    assert (f"{3 - n_left} too short" in sounds.DESCR) == (n_left < 3)


def test_the_shorter_file_is_named(folder):
    sounds = load_heart_sounds(folder, min_duration=1.5)
    assert sounds.left_out["too_short"] == [str(folder / "normal" / "b.wav")]


def test_several_rows_of_a_file(folder):
    sounds = load_heart_sounds(folder, duration=1, window_step=0.5)
    assert sounds.file_index.tolist() == [0] * 5 + [1] * 3 + [2]
    assert sounds.starts.tolist() == [0, 2000, 4000, 6000, 8000, 0, 2000, 4000, 0]
    assert sounds.target.tolist() == ["murmur"] * 8 + ["normal"]
    assert [Path(name).name for name in sounds.filenames[[0, 4, 5, 8]]] == [
        "a.mp3",
        "a.mp3",
        "c.FLAC",
        "b.wav",
    ]
    whole = load_heart_sounds(folder, duration=3)
    np.testing.assert_array_equal(sounds.data[3], whole.data[0, 6000:10000])


def test_rows_of_a_file_stay_together_in_cross_validation(folder):
    sounds = load_heart_sounds(folder, duration=1, window_step=0.5)
    for train, test in GroupKFold(3).split(sounds.data, sounds.target, sounds.groups):
        assert not set(sounds.file_index[train]) & set(sounds.file_index[test])


def test_custom_rule_with_subjects(folder):
    def rule(file):
        return len(file.parts), "ann" if "ann" in file.parts else None

    sounds = load_heart_sounds(folder, rule=rule)
    assert sounds.target.tolist() == [3, 2, 2]
    assert sounds.target_names == [2, 3]
    assert sounds.groups.tolist() == ["ann", "murmur/c.FLAC", "normal/b.wav"]


def test_files_without_label_are_left_out_and_listed(folder):
    sounds = load_heart_sounds(
        folder, rule=lambda file: file.suffix if "ann" in str(file) else None
    )
    assert sounds.target.tolist() == [".mp3"]
    assert [Path(name).name for name in sounds.left_out["no_label"]] == ["c.FLAC", "b.wav"]
    assert "1 of 3 files; left out: 2 without a label" in sounds.DESCR


def test_choice_of_labels(folder):
    sounds = load_heart_sounds(folder, labels=["normal"])
    assert sounds.target.tolist() == ["normal"]
    assert len(sounds.left_out["other_label"]) == 2


def test_files_that_are_left_out_need_not_be_readable(folder):
    (folder / "normal" / "b.wav").write_text("no sound")
    assert len(load_heart_sounds(folder, labels="murmur").data) == 2


def test_data_and_target_alone(folder):
    X, y = load_heart_sounds(folder, return_X_y=True)
    sounds = load_heart_sounds(folder)
    np.testing.assert_array_equal(X, sounds.data)
    np.testing.assert_array_equal(y, sounds.target)


def cut_off(file):
    file.write_bytes(file.read_bytes()[:-1000])


def not_finite(file):
    soundfile.write(file, np.full(100, np.nan), 8000, subtype="FLOAT")


DAMAGE = {
    "cut off": (cut_off, "truncated: it holds"),
    "text": (lambda file: file.write_text("no sound\n" * 99), "not in a format"),
    "empty": (lambda file: file.write_bytes(b""), "it is empty"),
    "no samples": (lambda file: soundfile.write(file, np.zeros(0), 8000), "no samples"),
    "not finite": (not_finite, "100 of its 100 samples are NaN"),
    "dead link": (lambda file: (file.unlink(), file.symlink_to("nowhere")), "No such file"),
}


@pytest.mark.parametrize(("damage", "reason"), DAMAGE.values(), ids=DAMAGE)
def test_an_unreadable_file_raises(folder, damage, reason):
    damage(folder / "normal" / "b.wav")
    with pytest.raises(ValueError, match=rf"b\.wav cannot be read: .*{reason}.*on_error=\"skip\""):
        load_heart_sounds(folder)


@pytest.mark.parametrize(("damage", "reason"), DAMAGE.values(), ids=DAMAGE)
def test_an_unreadable_file_is_skipped_with_a_warning(folder, damage, reason):
    damage(folder / "normal" / "b.wav")
    with pytest.warns(UserWarning, match=rf"1 of 3 files cannot.*\n.*b\.wav: .*{reason}") as seen:
        sounds = load_heart_sounds(folder, on_error="skip")
    assert [warning.filename for warning in seen] == [__file__]
    assert sounds.target.tolist() == ["murmur", "murmur"]
    assert list(sounds.skipped) == [str(folder / "normal" / "b.wav")]
    assert reason in sounds.skipped[str(folder / "normal" / "b.wav")]
    assert "1 unreadable" in sounds.DESCR


def test_one_warning_for_all_files(folder):
    for name in ("normal/b.wav", "murmur/c.FLAC"):
        (folder / name).write_bytes(b"")
    with pytest.warns(UserWarning, match=r"2 of 3 files") as seen:
        load_heart_sounds(folder, on_error="skip")
    assert len(seen) == 1


def test_only_unreadable_files_raises(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b.wav").write_bytes(b"")
    message = r"no file to load .*0 of 1 files; left out: 1 unreadable.*b\.wav cannot be read"
    with pytest.raises(ValueError, match=message):
        load_heart_sounds(tmp_path, on_error="skip")


def test_only_short_files_raises(folder):
    with pytest.raises(ValueError, match=r"3 too short\. The longest of the short ones lasts 3 s"):
        load_heart_sounds(folder, min_duration=4)


def test_only_files_without_label_raises(folder):
    with pytest.raises(ValueError, match=r"no file to load .* 3 without a label"):
        load_heart_sounds(folder, rule=lambda _: None)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"fs": 0}, "fs must be greater than 0"),
        ({"duration": -1}, "duration must be greater than 0"),
        ({"duration": 0.0001}, "duration=0.0001 s is less than one sample at fs=4000 Hz"),
        ({"min_duration": -1}, "min_duration must be 0 or greater"),
        ({"window_step": 0}, "window_step must be greater than 0"),
        ({"window_step": 0.0001}, "window_step=0.0001 s is less than one sample"),
        ({"rule": "folder"}, "rule must be one of"),
        ({"on_error": "ignore"}, "on_error must be one of .* got 'ignore'"),
        ({"labels": ["abnormal"]}, r"labels \['abnormal'\]; there are \['murmur', 'normal'\]"),
    ],
)
def test_wrong_arguments_raise_before_files_are_read(folder, arguments, message):
    (folder / "normal" / "b.wav").write_bytes(b"")
    with pytest.raises(ValueError, match=message):
        load_heart_sounds(folder, **arguments)


def test_file_beside_the_folders_of_labels_raises(folder, write_sine):
    write_sine(folder / "a.wav")
    with pytest.raises(ValueError, match=r"no label for 'a\.wav': it is not in a sub-folder"):
        load_heart_sounds(folder)


def test_data_home_is_the_default(folder, monkeypatch, tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    folder.rename(home / "heart_sounds")
    monkeypatch.setenv("ECGBEAT_DATA", str(home))
    assert len(load_heart_sounds().data) == 3


def test_silent_by_default(folder, capfd):
    load_heart_sounds(folder)
    assert capfd.readouterr() == ("", "")


def test_verbose_shows_progress_and_what_was_left_out(folder, capsys):
    load_heart_sounds(folder, min_duration=1.5, verbose=1)
    shown = capsys.readouterr().err
    assert "3/3" in shown
    assert "2 of 3 files; left out: 1 too short" in shown


@pytest.fixture(scope="module")
def pascal(real_data):
    if not (real_data / "heart_sounds" / "pascal_set_b").is_dir():
        pytest.skip("ECGBEAT_DATA holds no heart_sounds/pascal_set_b")
    return real_data / "heart_sounds" / "pascal_set_b"


def test_real_counts_of_pascal(pascal):
    sounds = load_heart_sounds(pascal, rule="pascal")
    names, counts = np.unique(sounds.target, return_counts=True)
    assert dict(zip(names, counts, strict=True)) == {"extrastole": 46, "murmur": 95, "normal": 320}
    assert len(np.unique(sounds.groups)) == 165
    assert len(sounds.left_out["no_label"]) == 195
    assert 0.1 < np.abs(sounds.data).max() <= 1
    assert "Bentley" in sounds.DESCR


def test_real_windows_of_pascal(pascal):
    sounds = load_heart_sounds(pascal, rule="pascal", duration=3, window_step=1.5)
    assert len(np.unique(sounds.file_index)) == 461
    first = load_heart_sounds(pascal, rule="pascal", duration=3)
    np.testing.assert_array_equal(sounds.data[sounds.starts == 0], first.data)


# --- windows ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("n_sound", "n_times", "step", "starts"),
    [
        (3, 10, None, [0]),
        (100, 10, None, [0]),
        (30, 10, 10, [0, 10, 20]),
        (34, 10, 10, [0, 10, 20]),  # 4 of 10 would be sound
        (35, 10, 10, [0, 10, 20, 30]),  # half
        (1, 10, 10, [0]),  # the first, however short
        (10, 10, 1, [0]),  # the first reaches the end
        (11, 10, 1, [0, 1]),
        (20, 10, 5, [0, 5, 10]),
        (21, 10, 5, [0, 5, 10, 15]),
        (50, 10, 20, [0, 20, 40]),
        (44, 10, 20, [0, 20]),
        (30, 10, 7.5, [0, 8, 15, 22]),
    ],
)
def test_window_starts(n_sound, n_times, step, starts):
    found = _window_starts(n_sound, _Windows(n_times, step))
    assert found.tolist() == starts
    assert found.dtype == np.int64


@pytest.mark.parametrize("step", [3, 10, 14.2])
def test_all_windows_but_the_last_are_full(step):
    for n_sound in range(10, 80):
        starts = _window_starts(n_sound, _Windows(10, step))
        assert (starts[:-1] + 10 <= n_sound).all()
        assert starts[-1] + 5 <= n_sound
