"""Loading of the trained models, and their cards.

Each model is a file of `ecgbeat.save_model`, written by ``examples/train_pretrained.py``, that
contains its card. ``SHA256SUMS`` lists their checksums, in the format of ``sha256sum``.
"""

import warnings
from pathlib import Path
from typing import Any

from ecgbeat.persistence import load_model, model_info

PRETRAINED_NAMES = ("nsvf", "nsvf-live", "nlrav", "normal-abnormal-187")
"""Names of the trained models, for `load_pretrained` and `model_card`."""

_FOLDER = Path(__file__).parent


def load_pretrained(name: str = "nsvf") -> Any:
    """Load a trained model of the package.

    The models are described in the user guide and by `model_card`. They are for research and
    teaching, not for diagnosis: they are no medical devices.

    Parameters
    ----------
    name : {"nsvf", "nsvf-live", "nlrav", "normal-abnormal-187"}, default="nsvf"
        Name of the model:

        - ``"nsvf"``: `ecgbeat.BeatAnnotator` of recordings of any rate and leads, with the AAMI
          classes N, S, V and F;
        - ``"nsvf-live"``: the same for `ecgbeat.BeatStream`: the class of a beat depends on no
          later beat but the position of the next R peak within 1.25 s;
        - ``"nlrav"``: `ecgbeat.BeatAnnotator` of one lead, with the classes N, L, R, A and V, the
          WFDB symbols;
        - ``"normal-abnormal-187"``: classifier of single beats in the format of the Kaggle
          ``heartbeat`` set, of shape (n_beats, 187), with the classes ``"abnormal"`` and
          ``"normal"``.

    Returns
    -------
    estimator
        Fitted estimator, a new one for each call.

    Raises
    ------
    ValueError
        If there is no model of this name, or it needs other versions of packages than those
        installed; the message names them.

    See Also
    --------
    ecgbeat.pretrained.model_card : Training data, license and scores of a model.
    ecgbeat.load_model : Load a model of your own.

    Notes
    -----
    The file of a model runs no code. With other versions of packages than those of its training,
    `ecgbeat.load_model` warns. This function does not: the tests of ecgbeat compare the
    predictions of its models with those of the training, with the oldest and the newest
    supported versions.

    Examples
    --------
    >>> import ecgbeat
    >>> from ecgbeat.datasets import make_recording
    >>> annotator = ecgbeat.load_pretrained("nsvf")
    >>> annotator.classes_.tolist()
    ['F', 'N', 'S', 'V']
    >>> ecg = make_recording(60, random_state=2)
    >>> beats = annotator.predict([ecg.signal], fs=ecg.fs)[0]
    >>> beats.symbol[5:10].tolist()
    ['N', 'N', 'S', 'N', 'N']
    """
    path = _path_of(name)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".* It was saved with ", UserWarning)
        return load_model(path)


def model_card(name: str = "nsvf") -> dict[str, Any]:
    """Return the description of a trained model, without loading the model.

    Parameters
    ----------
    name : str, default="nsvf"
        Name of the model, one of ``ecgbeat.pretrained.PRETRAINED_NAMES``.

    Returns
    -------
    dict
        Of content that JSON can express, with the keys

        - ``"name"``, ``"title"``: name of the model, and a line that describes it;
        - ``"classes"``: dict from each class of the model to its meaning;
        - ``"data"``, ``"license"``: training data, with citations, and their license;
        - ``"protocol"``: the training, and the measurement of the scores;
        - ``"scores"``: dict of scores on patients who were not in the training set;
        - ``"not_for"``: list of uses for which the model is not suited;
        - ``"versions"``: dict of the versions of Python and the packages of the training;
        - ``"sha256"``: checksum of the file.

    Raises
    ------
    ValueError
        If there is no model of this name.

    See Also
    --------
    ecgbeat.load_pretrained : Load the model.

    Examples
    --------
    >>> from ecgbeat.pretrained import model_card
    >>> card = model_card("nsvf")
    >>> card["title"]
    'Annotator of recordings: N, S, V and F'
    >>> card["scores"]["macro-F1"]
    0.742
    """
    path = _path_of(name)
    return {"name": name} | model_info(path)["card"] | {"sha256": _checksums()[path.name]}


def _path_of(name: str) -> Path:
    """Return the file of a model."""
    if name not in PRETRAINED_NAMES:
        raise ValueError(f"name must be one of {list(PRETRAINED_NAMES)}, got {name!r}.")
    return _FOLDER / f"{name}.safetensors"


def _checksums() -> dict[str, str]:
    """Return the checksum of each file."""
    text = (_FOLDER / "SHA256SUMS").read_text(encoding="ascii")
    pairs = (line.split() for line in text.splitlines())
    return {file: checksum for checksum, file in pairs}
