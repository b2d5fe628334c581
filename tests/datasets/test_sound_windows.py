from collections import deque

import numpy as np
import pytest

from ecgbeat.datasets._sound_windows import Windows, cut_rows, window_starts


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
def test_starts(n_sound, n_times, step, starts):
    found = window_starts(n_sound, Windows(n_times, step))
    assert found.tolist() == starts
    assert found.dtype == np.int64


@pytest.mark.parametrize("step", [3, 10, 14.2])
def test_all_windows_but_the_last_are_full(step):
    for n_sound in range(10, 80):
        starts = window_starts(n_sound, Windows(10, step))
        assert (starts[:-1] + 10 <= n_sound).all()
        assert starts[-1] + 5 <= n_sound


def test_rows_of_several_sounds():
    sounds = deque([np.arange(1, 6, dtype=np.float32), np.array([9], np.float32)])
    rows = cut_rows(sounds, Windows(3, 2))
    assert rows.data.tolist() == [[1, 2, 3], [3, 4, 5], [9, 0, 0]]
    assert rows.sound.tolist() == [0, 0, 1]
    assert rows.start.tolist() == [0, 2, 0]
    assert rows.data.dtype == np.float32


def test_sounds_are_given_up_one_by_one():
    sounds = deque(np.ones((2, 5), np.float32))
    cut_rows(sounds, Windows(3, None))
    assert not sounds
