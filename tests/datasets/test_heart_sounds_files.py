from pathlib import PurePosixPath

import numpy as np
import pytest

from ecgbeat.datasets.heart_sounds.files import (
    check_labels,
    find_origins,
    find_rule,
    find_sounds,
)


def origin(name, rule):
    return tuple(find_origins([name], rule)[name])


@pytest.mark.parametrize("name", ["murmur/a.wav", "murmur/ann/a.wav", "murmur/ann/1/a.wav"])
def test_label_by_the_first_folder(name):
    assert origin(name, "folders") == ("murmur", None)


def test_file_outside_of_sub_folders_raises():
    with pytest.raises(
        ValueError, match=r"'a\.wav': it is not in a sub-folder.*\"pascal\".*function"
    ):
        find_origins(["murmur/a.wav", "a.wav"], "folders")


@pytest.mark.parametrize(
    ("name", "label", "subject"),
    [
        ("normal__103_1305031931979_B.wav", "normal", "103"),
        ("normal_noisynormal_284_1311168471850_B.wav", "normal", "284"),
        ("murmur_noisymurmur_135_1306428972976_A.wav", "murmur", "135"),
        ("extrastole__127_1306764300147_C2.wav", "extrastole", "127"),
        ("set_b/extrastole__127_1306764300147_C2.wav", "extrastole", "127"),
        ("Bunlabelledtest__101_1305030823364_A.wav", None, "101"),
        ("artifact__201012172012.wav", "artifact", "201012172012"),
        ("extrahls__201101070953.wav", "extrahls", "201101070953"),
        ("Aunlabelledtest__201101051104.wav", None, "201101051104"),
        ("normal__B.wav", "normal", None),
        ("Btraining_normal_Btraining_noisynormal_103_1305031931979_B.wav", "normal", "103"),
        ("set_b/Btraining_normal/103_1305031931979_B.wav", "normal", "103"),
        ("Btraining_murmur/Btraining_noisymurmur/135_1306428972976_A.aif", "murmur", "135"),
        ("Bunlabelledtest/101_1305030823364_A.wav", None, "101"),
    ],
)
def test_pascal_names(name, label, subject):
    assert origin(name, "pascal") == (label, subject)


@pytest.mark.parametrize("name", ["normal.wav", "103_130503_B.wav", "_103.wav", "x/103.wav"])
def test_names_other_than_pascals_raise(name):
    with pytest.raises(ValueError, match=f"'{name}': its name does not begin with a label"):
        find_origins([name], "pascal")


@pytest.mark.parametrize(
    ("answer", "label", "subject"),
    [
        ("murmur", "murmur", None),
        (("murmur", "ann"), "murmur", "ann"),
        (("murmur", 7), "murmur", "7"),
        (("murmur", None), "murmur", None),
        (0, 0, None),
        (np.int8(3), 3, None),
        (True, True, None),
        (np.True_, True, None),
        (np.str_("murmur"), "murmur", None),
        (None, None, None),
        ((None, "ann"), None, "ann"),
    ],
)
def test_valid_results_of_a_function(answer, label, subject):
    assert origin("a.wav", lambda _: answer) == (label, subject)


def test_a_function_is_called_with_the_relative_path():
    seen = []
    find_origins(["a/b.wav"], lambda file: seen.append(file))
    assert seen == [PurePosixPath("a/b.wav")]


@pytest.mark.parametrize(
    "answer", ["", 1.5, float("nan"), b"murmur", ["murmur", "ann"], ("a", "b", "c"), {"a": 1}]
)
def test_invalid_label_of_a_function_raises(answer):
    with pytest.raises(ValueError, match=r"rule returned .* for 'a\.wav'.* must return a label"):
        find_origins(["a.wav"], lambda _: answer)


@pytest.mark.parametrize("subject", [1.0, True, float("nan"), ["ann"]])
def test_invalid_subject_of_a_function_raises(subject):
    with pytest.raises(ValueError, match=r"returned the subject .* for 'a\.wav'"):
        find_origins(["a.wav"], lambda _: ("murmur", subject))


def test_an_error_in_the_function_names_the_file():
    with pytest.raises(ValueError, match=r"no label for 'a\.wav': KeyError: 'a'") as caught:
        find_origins(["a.wav"], lambda file: {}[file.stem])
    assert isinstance(caught.value.__cause__, KeyError)


@pytest.mark.parametrize(("one", "other"), [("a", 1), (1, True)])
def test_labels_of_several_types_raise(one, other):
    labels = {"1.wav": one, "2.wav": other}
    with pytest.raises(ValueError, match=r"several types: .*'1\.wav'.*'2\.wav'"):
        find_origins(labels, lambda file: labels[file.name])


def test_files_without_label_may_be_mixed_with_any_type():
    labels = {"1.wav": None, "2.wav": 2}
    assert len(find_origins(labels, lambda file: labels[file.name])) == 2


@pytest.mark.parametrize("rule", ["folder", "", None, 1, ["folders"]])
def test_unknown_rule_raises(rule):
    with pytest.raises(ValueError, match=r"one of \['folders', 'pascal'\] or a function"):
        find_rule(rule)


ORIGINS = find_origins(["b/1.wav", "a/1.wav"], "folders")


@pytest.mark.parametrize(
    ("labels", "wanted"),
    [(None, None), ("a", ["a"]), (["b", "a"], ["b", "a"]), (np.array(["a"]), ["a"])],
)
def test_choice_of_labels(labels, wanted):
    assert check_labels(ORIGINS, labels) == wanted


@pytest.mark.parametrize(
    ("labels", "missing"), [("c", r"\['c'\]"), (["a", 1], r"\[1\]"), ([], r"\[\]")]
)
def test_labels_that_no_file_has_raise(labels, missing):
    with pytest.raises(ValueError, match=rf"labels {missing}; there are \['a', 'b'\]"):
        check_labels(ORIGINS, labels)


# --- files -----------------------------------------------------------------------------


def touch(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


def test_files_in_sub_folders_in_the_order_of_their_paths(tmp_path):
    touch(tmp_path, "b.wav", "a/z.flac", "a.mp3", "a/b/c.ogg", "B/x.wav")
    assert list(find_sounds(tmp_path)) == ["B/x.wav", "a.mp3", "a/b/c.ogg", "a/z.flac", "b.wav"]


def test_paths_of_the_files(tmp_path):
    touch(tmp_path, "a/z.wav")
    assert find_sounds(tmp_path) == {"a/z.wav": tmp_path / "a" / "z.wav"}


@pytest.mark.parametrize("name", ["a.WAV", "a.Flac", "a.aiff", "a.opus", "a.b.mp3", "a.m4a"])
def test_extensions_of_sounds(tmp_path, name):
    touch(tmp_path, name)
    assert list(find_sounds(tmp_path)) == [name]


@pytest.mark.parametrize(
    "name", ["set_b.csv", "notes.txt", "wav", ".wav", "._a.wav", "a.wav.txt", ".git/a.wav"]
)
def test_hidden_and_other_files_are_ignored(tmp_path, name):
    touch(tmp_path, "a.wav", name)
    assert list(find_sounds(tmp_path)) == ["a.wav"]


def test_a_folder_named_like_a_sound_is_searched(tmp_path):
    touch(tmp_path, "a.wav/b.wav")
    assert list(find_sounds(tmp_path)) == ["a.wav/b.wav"]


def test_links_to_folders_are_followed(tmp_path):
    touch(tmp_path, "sounds/a/1.wav", "elsewhere/2.wav")
    (tmp_path / "sounds" / "b").symlink_to(tmp_path / "elsewhere")
    assert list(find_sounds(tmp_path / "sounds")) == ["a/1.wav", "b/2.wav"]


def test_a_link_that_leads_back_is_searched_once(tmp_path):
    touch(tmp_path, "a/1.wav")
    (tmp_path / "a" / "back").symlink_to(tmp_path)
    assert list(find_sounds(tmp_path)) == ["a/1.wav"]


def test_a_hidden_part_of_the_path_to_the_folder_does_not_hide_it(tmp_path):
    touch(tmp_path, ".cache/sounds/a.wav")
    assert list(find_sounds(tmp_path / ".cache" / "sounds")) == ["a.wav"]


@pytest.mark.parametrize(
    ("names", "message"),
    [([], "there are no files at all"), (["a.csv", "b.csv", "c"], r"only others \(2 \.csv, 1 wit")],
)
def test_folder_without_sounds_raises(tmp_path, names, message):
    touch(tmp_path, *names)
    with pytest.raises(ValueError, match=rf"{tmp_path} holds no audio file.*{message}"):
        find_sounds(tmp_path)


def test_missing_folder_raises(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no folder .*nowhere"):
        find_sounds(tmp_path / "nowhere")


def test_file_in_place_of_the_folder_raises(tmp_path):
    touch(tmp_path, "a.wav")
    with pytest.raises(NotADirectoryError, match=r"a folder .*, but .*a\.wav is a file"):
        find_sounds(tmp_path / "a.wav")
