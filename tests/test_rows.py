import sys
import threading
import time

import numpy as np
import pytest
from threadpoolctl import ThreadpoolController

from ecgbeat._rows import (
    _CHUNK_SAMPLES,
    as_rows,
    in_threads,
    map_rows,
    row_chunks,
    settings_for_threads,
)


@pytest.mark.parametrize("n_rows", [0, 1, 7, 1000])
@pytest.mark.parametrize("n_samples", [1, 360, _CHUNK_SAMPLES, 3 * _CHUNK_SAMPLES])
def test_chunks_cover_each_row_once_and_are_bounded(n_rows, n_samples):
    rows = [np.arange(n_rows)[chunk] for chunk in row_chunks(n_rows, n_samples)]
    np.testing.assert_array_equal(np.concatenate([[], *rows]), np.arange(n_rows))
    assert all(len(r) == 1 or len(r) * n_samples <= _CHUNK_SAMPLES for r in rows)


def test_function_receives_float64_and_result_is_float32():
    dtypes = []

    def double(rows):
        dtypes.append(rows.dtype)
        return 2 * rows

    result = map_rows(double, np.ones((2, 3, 4), np.float32), 4)
    assert result.dtype == np.float32
    assert result.shape == (2, 3, 4)
    assert set(dtypes) == {np.dtype(np.float64)}
    assert (result == 2).all()


def test_chunked_result_equals_result_at_once():
    x = np.random.default_rng(0).normal(size=(5000, 120))
    assert len(list(row_chunks(*x.shape))) > 2
    np.testing.assert_array_equal(map_rows(lambda r: r[:, ::-1], x, 120), x[:, ::-1])


def test_input_is_not_modified():
    x = np.ones((3, 4))

    def overwrite(rows):
        rows[:] = 7
        return rows

    map_rows(overwrite, x, 4)
    assert (x == 1).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_overflow_is_clipped_to_largest_float(dtype):
    largest = np.finfo(dtype).max
    result = map_rows(lambda r: 3 * r, np.array([[largest, -largest, 0.0], [1, 2, 3]], dtype), 3)
    np.testing.assert_array_equal(result, np.array([[largest, -largest, 0], [3, 6, 9]], dtype))


@pytest.mark.parametrize("shape", [(0, 5), (5, 0), (0,), (2, 0, 4)])
def test_empty_input_keeps_leading_axes(shape):
    assert map_rows(lambda r: r, np.empty(shape), 3).shape == (*shape[:-1], 3)


@pytest.mark.parametrize(
    ("dtype", "expected"),
    [("f4", "f4"), ("f8", "f8"), ("f2", "f8"), ("i4", "f8"), ("?", "f8")],
)
def test_float32_is_kept_and_other_dtypes_become_float64(dtype, expected):
    assert as_rows(np.ones(3, dtype), "f").dtype == np.dtype(expected)


@pytest.mark.parametrize(
    ("x", "error", "message"),
    [
        (1.5, ValueError, "x must be an array of samples, got the number 1.5"),
        ([1j], TypeError, "x must hold real numbers, got dtype complex128"),
        ([0.0, np.nan], ValueError, r"f: x contains NaN: 1 of 2 .* first at x\[1\]"),
        ([[0.0, np.inf]], ValueError, r"f: x contains infinity: .* x\[0, 1\]"),
    ],
)
def test_invalid_signal_raises(x, error, message):
    with pytest.raises(error, match=message):
        as_rows(x, "f")


def busy_threads(names):
    def function(item):
        names.add(threading.current_thread().name)
        return 2 * item

    return function


@pytest.fixture
def two_threads(monkeypatch):
    monkeypatch.setattr("ecgbeat._rows.effective_n_threads", lambda: 2)


@pytest.mark.usefixtures("two_threads")
def test_results_come_in_the_order_of_the_items():
    def slower_first(item):
        time.sleep(0.002 * (5 - item))
        return item

    assert list(in_threads(slower_first, range(5))) == [0, 1, 2, 3, 4]


@pytest.mark.usefixtures("two_threads")
def test_threads_work_only_a_little_ahead():
    begun = []
    results = in_threads(lambda item: begun.append(item) or item, range(20))
    assert next(results) == 0
    time.sleep(0.05)
    assert len(begun) <= 3
    results.close()
    assert len(begun) <= 3


@pytest.mark.usefixtures("two_threads")
def test_threads_within_threads_are_not_started():
    names = set()
    list(in_threads(lambda _: list(in_threads(busy_threads(names), range(3))), range(4)))
    assert 1 <= len(names) <= 2
    assert threading.current_thread().name not in names


@pytest.mark.parametrize(("n_threads", "n_items"), [(1, 5), (2, 1)])
def test_a_single_thread_is_the_own_one(monkeypatch, n_threads, n_items):
    monkeypatch.setattr("ecgbeat._rows.effective_n_threads", lambda: n_threads)
    names = set()
    assert list(in_threads(busy_threads(names), range(n_items))) == [2 * k for k in range(n_items)]
    assert names == {threading.current_thread().name}


@pytest.mark.usefixtures("two_threads")
def test_an_error_in_a_thread_reaches_the_caller():
    def fail(item):
        if item == 3:
            raise ValueError("the fourth")
        return item

    with pytest.raises(ValueError, match="the fourth"):
        list(in_threads(fail, range(10)))


@pytest.mark.usefixtures("two_threads")
def test_threads_have_the_floating_point_settings_of_the_caller():
    with np.errstate(over="raise"), pytest.raises(FloatingPointError):
        list(in_threads(lambda x: np.float64(x) * np.float64(1e308), [1.0, 1e9]))


def blas_threads():
    pools = ThreadpoolController().info()
    return [pool["num_threads"] for pool in pools if pool["user_api"] == "blas"]


def test_settings_hold_until_the_last_context_ends():
    before, turn_s = blas_threads(), sys.getswitchinterval()
    first, second = settings_for_threads(), settings_for_threads()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert set(blas_threads()) == {1}
    assert sys.getswitchinterval() < turn_s
    second.__exit__(None, None, None)
    assert blas_threads() == before
    with pytest.raises(KeyError), settings_for_threads():
        raise KeyError
    assert (blas_threads(), sys.getswitchinterval()) == (before, pytest.approx(turn_s))
