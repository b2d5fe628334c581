"""Tests of the trained models in the package, and of their cards."""

import hashlib
import json
import pickle
import time
import warnings
from importlib.resources import files

import numpy as np
import pytest

import ecgbeat
from ecgbeat import BeatAnnotator, BeatStream
from ecgbeat.datasets import make_recording
from ecgbeat.labels import to_aami
from ecgbeat.metrics import match_beats
from ecgbeat.pretrained import PRETRAINED_NAMES, load_pretrained, model_card

FOLDER = files("ecgbeat.pretrained")
ANNOTATORS = tuple(name for name in PRETRAINED_NAMES if name != "normal-abnormal-187")

# on the simulated patient; the models of four classes have labeled all beats right
SHARE_RIGHT = {"nsvf": 1.0, "nsvf-live": 1.0, "nlrav": 0.9}


@pytest.fixture(scope="module")
def patient():
    """Simulated recording of two minutes with supraventricular and ventricular beats."""
    return make_recording(120, weights={"N": 0.85, "A": 0.08, "V": 0.07}, random_state=3)


def test_unknown_name_raises_and_lists_the_names():
    with pytest.raises(ValueError, match=r"name must be one of \['nsvf'.*got 'resnet'"):
        load_pretrained("resnet")
    with pytest.raises(ValueError, match=r"name must be one of .*got '\.\./nsvf'"):
        model_card("../nsvf")


def test_default_is_nsvf():
    assert isinstance(ecgbeat.load_pretrained(), BeatAnnotator)
    assert model_card() == model_card("nsvf")


@pytest.mark.parametrize("name", PRETRAINED_NAMES)
def test_card_is_complete_and_json(name):
    card = model_card(name)
    keys = "name title classes data license protocol scores not_for versions sha256"
    assert set(card) == set(keys.split())
    assert card["name"] == name
    assert set(card["classes"]) == set(load_pretrained(name).classes_)
    assert "ODC Attribution License" in card["license"]
    assert all(0 < score < 1 for score in card["scores"].values())
    assert any("no medical device" in line for line in card["not_for"])
    assert {"Python", "ecgbeat", "numpy", "scikit-learn", "torch"} <= set(card["versions"])
    assert json.loads(json.dumps(card)) == card


@pytest.mark.parametrize("name", PRETRAINED_NAMES)
def test_checksum_in_the_card_is_that_of_the_file(name):
    content = (FOLDER / f"{name}.safetensors").read_bytes()
    assert model_card(name)["sha256"] == hashlib.sha256(content).hexdigest()


def test_files_are_those_of_the_names_and_small():
    models = [file for file in FOLDER.iterdir() if file.name.endswith(".safetensors")]
    assert {file.name for file in models} == {f"{name}.safetensors" for name in PRETRAINED_NAMES}
    assert sum(len(file.read_bytes()) for file in models) <= 2_000_000


def test_notice_attributes_the_databases():
    notice = (FOLDER / "NOTICE").read_text(encoding="utf-8")
    assert "information from the MIT-BIH Arrhythmia Database" in notice
    assert "https://opendatacommons.org/licenses/by/1-0/" in notice


@pytest.mark.parametrize("name", PRETRAINED_NAMES)
def test_loading_unpickles_nothing_and_warns_nothing(name, monkeypatch):
    def refuse(*_args, **_kwargs):
        raise AssertionError("a pickle was loaded")

    load_pretrained(name)  # imports, some of which define classes of unpicklers
    for function in ("load", "loads", "Unpickler"):
        monkeypatch.setattr(pickle, function, refuse)
    monkeypatch.setattr("ecgbeat.persistence._model_file._version", lambda _: "0.0")
    with warnings.catch_warnings(action="error"):
        load_pretrained(name)


@pytest.mark.parametrize("name", PRETRAINED_NAMES)
def test_loading_takes_less_than_a_second(name):
    load_pretrained(name)  # imports
    start = time.process_time()
    load_pretrained(name)
    assert time.process_time() - start < 1


@pytest.mark.parametrize("name", ANNOTATORS)
def test_simulated_patient_is_annotated(name, patient):
    """So it was where the models were trained; other versions must not change it."""
    beats = load_pretrained(name).predict([patient.signal])[0]
    true = patient.symbols if name == "nlrav" else to_aami(patient.symbols)
    matches = match_beats(patient.r_peaks, beats.sample, 360)
    assert len(matches.missed) == len(matches.extra) == 0
    assert np.mean(beats.symbol == true) >= SHARE_RIGHT[name]
    np.testing.assert_allclose(beats.probability.sum(axis=1), 1, atol=1e-5)


def test_live_model_annotates_a_stream(patient):
    stream = BeatStream(load_pretrained("nsvf-live"))
    parts = [stream.push(block) for block in np.array_split(patient.signal, 50)]
    labels = np.concatenate([part.symbol for part in [*parts, stream.flush()]])
    assert np.mean(labels == to_aami(patient.symbols)) >= 0.97


@pytest.mark.parametrize("kind", ["zeros", "ones", "noise", "gaussian noise"])
def test_rows_without_a_beat_have_no_confident_class(kind):
    rng = np.random.default_rng(7)
    rows = {
        "zeros": np.zeros((1, 187)),
        "ones": np.ones((1, 187)),
        "noise": rng.random((100, 187)),
        "gaussian noise": np.clip(rng.normal(0.5, 0.1, (100, 187)), 0, 1),
    }[kind]
    probability = load_pretrained("normal-abnormal-187").predict_proba(rows.astype(np.float32))
    assert np.mean(probability.max(axis=1)) < 0.7
