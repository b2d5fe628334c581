import pytest

from ecgbeat.datasets._sound_files import find_sounds


def touch(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


def test_files_in_sub_folders_in_the_order_of_their_paths(tmp_path):
    touch(tmp_path, "b.wav", "a/z.flac", "a.mp3", "a/b/c.ogg", "B/x.wav")
    assert list(find_sounds(tmp_path)) == ["B/x.wav", "a.mp3", "a/b/c.ogg", "a/z.flac", "b.wav"]


def test_the_files_are_those_of_the_names(tmp_path):
    touch(tmp_path, "a/z.wav")
    assert find_sounds(tmp_path) == {"a/z.wav": tmp_path / "a" / "z.wav"}


@pytest.mark.parametrize("name", ["a.WAV", "a.Flac", "a.aiff", "a.opus", "a.b.mp3", "a.m4a"])
def test_endings_of_sounds(tmp_path, name):
    touch(tmp_path, name)
    assert list(find_sounds(tmp_path)) == [name]


@pytest.mark.parametrize(
    "name", ["set_b.csv", "notes.txt", "wav", ".wav", "._a.wav", "a.wav.txt", ".git/a.wav"]
)
def test_what_is_hidden_or_no_sound_is_passed_over(tmp_path, name):
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
def test_a_folder_without_sounds(tmp_path, names, message):
    touch(tmp_path, *names)
    with pytest.raises(ValueError, match=rf"{tmp_path} holds no audio file.*{message}"):
        find_sounds(tmp_path)


def test_a_missing_folder(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no folder .*nowhere"):
        find_sounds(tmp_path / "nowhere")


def test_a_file_in_place_of_the_folder(tmp_path):
    touch(tmp_path, "a.wav")
    with pytest.raises(NotADirectoryError, match=r"a folder .*, but .*a\.wav is a file"):
        find_sounds(tmp_path / "a.wav")
