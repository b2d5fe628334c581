import numpy as np
import pytest

from ecgbeat.annotation._excerpts import draw_excerpts

NO_BEATS = np.empty(0, np.int64)


def draw(n_beats, rare=NO_BEATS, n_excerpts=200, seed=0):
    return draw_excerpts(n_beats, rare, n_excerpts, np.random.RandomState(seed))


def test_lengths_are_uniform_from_60_to_300():
    lengths = np.diff(draw(2000, n_excerpts=2000)).ravel()
    assert (lengths.min(), lengths.max()) == (60, 300)
    assert abs(lengths.mean() - 180) < 5


@pytest.mark.parametrize("n_beats", [1, 2, 59, 60, 61, 299, 300])
def test_excerpts_are_within_the_recording(n_beats):
    start, stop = np.array(draw(n_beats)).T
    assert (start.min(), stop.max()) == (0, n_beats)
    assert ((stop - start) >= min(n_beats, 60)).all()


def test_no_beats_have_no_excerpts():
    assert draw(0) == []
    assert draw(100, n_excerpts=0) == []


def test_rare_beats_are_preferred():
    rare = np.arange(900, 950)
    touched = [start < 950 and stop > 900 for start, stop in draw(5000, rare)]
    by_chance = [start < 950 and stop > 900 for start, stop in draw(5000)]
    assert np.mean(by_chance) < 0.1
    assert np.mean(touched) > 3 * np.mean(by_chance)


def test_seed_determines_excerpts():
    assert draw(1000, seed=1) == draw(1000, seed=1) != draw(1000, seed=2)
