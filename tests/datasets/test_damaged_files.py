"""Readers of damaged files: a result that is finite, or a ValueError that names the file."""

import gzip

import edfio
import numpy as np
import pytest
import soundfile

from ecgbeat.datasets import (
    load_heart_sounds,
    load_heartbeat_csv,
    load_recording,
    load_recordings,
)

N_MUTANTS = 40  # per file; seeds differ


def _save_table(file):
    rows = np.random.default_rng(0).normal(size=(40, 2))
    text = "MLII,V5\n" + "\n".join(f"{a:.3f},{b:.3f}" for a, b in rows) + "\n"
    content = text.encode()
    file.write_bytes(gzip.compress(content) if file.suffix == ".gz" else content)


def _save_arrays(file):
    signal = np.random.default_rng(0).normal(size=(2, 40))
    if file.suffix == ".npy":
        return np.save(file, signal)
    parts = {"signal": signal, "fs": 250.0, "sample": np.array([3]), "symbol": np.array(["N"])}
    return np.savez_compressed(file, **parts)


def _save_beats(file):
    X, y = np.random.default_rng(0).random((3, 187)), np.array([0, 2, 4])
    if file.suffix == ".npz":
        return np.savez_compressed(file, X=X, y=y, record=np.array(["100"] * 3))
    return np.savetxt(file, np.column_stack([X, y]), fmt="%.3f", delimiter=",")


def _save_sound(file):
    sound = 0.5 * np.sin(np.arange(3000) / 9)
    subtype = "FLOAT" if file.stem == "float" else None
    soundfile.write(file, sound, 8000, subtype=subtype)


def _save_edf(file):
    note = edfio.EdfAnnotation(0, None, "start")
    ecg = np.random.default_rng(0).uniform(-1, 1, 100)
    signals = [edfio.EdfSignal(ecg, 50, label=name, physical_dimension="mV") for name in ("I", "V")]
    edfio.Edf(signals, annotations=[note]).write(file)


def _recordings(folder):
    bunch = load_recordings(folder, 250, lead=None)
    return [
        recording[np.isfinite(recording) | np.isinf(recording)] for recording in bunch.recordings
    ]


FILES = {
    "a.csv": (_save_table, _recordings),
    "a.csv.gz": (_save_table, _recordings),
    "a.npy": (_save_arrays, _recordings),
    "a.npz": (_save_arrays, _recordings),
    "a.edf": (_save_edf, lambda folder: [load_recording(folder / "a.edf").signal]),
    "mitbih_test.csv": (
        _save_beats,
        lambda folder: [load_heartbeat_csv(folder, subset="test").data],
    ),
    "mitbih_test.csv.gz": (
        _save_beats,
        lambda folder: [load_heartbeat_csv(folder, subset="test").data],
    ),
    "mitbih_test.npz": (
        _save_beats,
        lambda folder: [load_heartbeat_csv(folder, subset="test").data],
    ),
}
SOUNDS = ("a.wav", "float.wav", "a.flac", "a.mp3", "a.ogg", "a.aiff")
FILES |= {
    f"heart/{name}": (_save_sound, lambda folder: [load_heart_sounds(folder, duration=0.1).data])
    for name in SOUNDS
}


def mutate(content, rng):
    """Flip, insert, delete, repeat or cut off some bytes, near the beginning half of the time."""
    damaged = bytearray(content)
    for _ in range(rng.integers(1, 4)):
        end = len(damaged) if rng.random() < 0.5 else min(len(damaged), 200)
        at = int(rng.integers(max(end, 1)))
        length = int(rng.integers(1, 9))
        match rng.integers(6):
            case 0:
                damaged[at : at + 1] = (
                    bytes([damaged[at] ^ 1 << int(rng.integers(8))]) if damaged else b""
                )
            case 1:
                damaged[at : at + length] = rng.bytes(length)
            case 2:
                damaged[at:at] = rng.bytes(length)
            case 3:
                del damaged[at : at + length]
            case 4:
                damaged[at:at] = rng.choice(
                    [b"1e39", b"inf", b'"', b"\0", b"\n", b"9" * 30, b",", b"\xff\xff\xff\x7f"]
                )
            case _:
                del damaged[at:]
    return bytes(damaged)


@pytest.mark.parametrize("name", FILES)
def test_damaged_file_is_read_or_named(tmp_path, name):
    save, load = FILES[name]
    file = tmp_path / name
    file.parent.mkdir(exist_ok=True)
    save(file)
    content = file.read_bytes()
    load(tmp_path)  # whole, it passes
    rng = np.random.default_rng(list(name.encode()))
    problems = []
    for _ in range(N_MUTANTS):
        file.write_bytes(mutate(content, rng))
        try:
            assert all(np.isfinite(part).all() for part in load(tmp_path))
        except ValueError as error:
            problems.append(str(error))
    assert len(problems) > N_MUTANTS // 10
    assert all(file.name in problem for problem in problems)
