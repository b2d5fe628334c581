import numpy as np
import pytest

from ecgbeat.datasets.tables.arrays import open_arrays

SIGNAL = np.random.default_rng(0).normal(size=(2, 30))


@pytest.mark.parametrize("array", [SIGNAL, SIGNAL.T, np.asfortranarray(SIGNAL)])
def test_the_longer_axis_is_the_time(tmp_path, array):
    np.save(tmp_path / "a.npy", array)
    content = open_arrays(tmp_path / "a.npy")
    np.testing.assert_array_equal(content.signal, SIGNAL)
    assert content.lead_names == ["lead_0", "lead_1"]


@pytest.mark.parametrize("dtype", [np.float32, np.int16, np.uint8])
def test_one_lead(tmp_path, dtype):
    np.save(tmp_path / "a.npy", np.arange(9, dtype=dtype))
    assert open_arrays(tmp_path / "a.npy").signal.tolist() == [list(range(9))]


@pytest.mark.parametrize("name", ["signal", "ecg", "arr_0"])
def test_an_npz_of_one_array_by_any_name(tmp_path, name):
    np.savez_compressed(tmp_path / "a.npz", **{name: SIGNAL})
    np.testing.assert_array_equal(open_arrays(tmp_path / "a.npz").signal, SIGNAL)


def test_an_npz_of_named_parts(tmp_path):
    np.savez(
        tmp_path / "a.npz", signal=SIGNAL, lead_names=["I", "II"], fs=250, sample=[3], symbol=["N"]
    )
    content = open_arrays(tmp_path / "a.npz")
    assert content.lead_names == ["I", "II"]
    assert content.fs == 250.0
    assert [part.tolist() for part in content.annotation] == [[3], ["N"]]


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"a": SIGNAL, "b": SIGNAL}, r"holds the arrays \['a', 'b'\]; it must hold a single one"),
        ({"signal": SIGNAL, "label": [1]}, r"holds the arrays \['label', 'signal'\]"),
        ({"signal": SIGNAL, "lead_names": ["I"]}, "1 names for 2 leads"),
        ({"signal": SIGNAL[None]}, r"shape \(1, 2, 30\)"),
        ({"signal": SIGNAL[:, :2]}, r"shape \(2, 2\), leads and times cannot"),
        ({"signal": SIGNAL[:, :0]}, r"shape \(2, 0\)"),
        ({"signal": np.float64(3)}, r"shape \(\)"),
        ({"signal": SIGNAL + 1j}, "type complex128"),
        ({"signal": SIGNAL > 0}, "type bool"),
        ({"signal": SIGNAL.astype(str)}, "type <U"),
    ],
)
def test_arrays_other_than_recordings_raise(tmp_path, arrays, message):
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(ValueError, match=message):
        open_arrays(tmp_path / "a.npz")


@pytest.mark.parametrize("name", ["sample", "symbol"])
def test_half_of_an_annotation_raises(tmp_path, name):
    np.savez(tmp_path / "a.npz", **{"signal": SIGNAL, name: [3]})
    with pytest.raises(ValueError, match="one of sample and symbol without the other"):
        open_arrays(tmp_path / "a.npz")


def test_objects_are_not_unpickled(tmp_path):
    np.save(tmp_path / "a.npy", np.array([SIGNAL, None], dtype=object))
    with pytest.raises(ValueError, match="cannot be read as npy without Python objects"):
        open_arrays(tmp_path / "a.npy")


@pytest.mark.parametrize("name", ["a.npy", "a.npz"])
@pytest.mark.parametrize("n_bytes", [0, 5, 200])
def test_truncated_file_raises(tmp_path, name, n_bytes):
    (np.save if name == "a.npy" else np.savez)(tmp_path / name, SIGNAL)
    content = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(content[:n_bytes])
    with pytest.raises(ValueError, match="cannot be read as np"):
        open_arrays(tmp_path / name)
