from pathlib import Path

import pytest

from ecgbeat.datasets import get_data_home


def test_the_argument_wins_over_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("ECGBEAT_DATA", "/elsewhere")
    assert get_data_home(tmp_path) == tmp_path


def test_the_environment_wins_over_the_default(monkeypatch, tmp_path):
    monkeypatch.setenv("ECGBEAT_DATA", str(tmp_path))
    assert get_data_home() == tmp_path


@pytest.mark.parametrize("empty", [True, False])
def test_the_default_is_in_the_users_home(monkeypatch, empty):
    monkeypatch.setenv("ECGBEAT_DATA", "")
    if not empty:
        monkeypatch.delenv("ECGBEAT_DATA")
    assert get_data_home() == Path.home() / "ecgbeat_data"


def test_tilde_is_expanded_and_relative_paths_become_absolute(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert get_data_home("~/ecg") == Path.home() / "ecg"
    assert get_data_home("ecg") == tmp_path / "ecg"


def test_folder_is_not_created(tmp_path):
    get_data_home(tmp_path / "new")
    assert not (tmp_path / "new").exists()
