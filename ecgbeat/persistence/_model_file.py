"""Model files: the public functions, and the description of a model in its file."""

import importlib
import json
import os
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ecgbeat._files import write_files
from ecgbeat._validation import check_is_fitted
from ecgbeat.persistence import _estimators
from ecgbeat.persistence._container import pack, parse_json, read_metadata, unpack
from ecgbeat.persistence._encoding import Decoder, Encoder

_FORMAT = "1"
_NAMES = {"sklearn": "scikit-learn"}  # of packages on PyPI, if it is another
_MODULES = {"ecgbeat": "ecgbeat", "scikit-learn": "sklearn", "skorch": "skorch", "torch": "torch"}
# errors of values of the wrong type or range, wherever they are used first
_WRONG = (
    ArithmeticError,
    AttributeError,
    ImportError,
    LookupError,
    RecursionError,
    RuntimeError,
    TypeError,
    ValueError,
)


def save_model(
    estimator: Any, path: str | os.PathLike[str], *, card: Mapping[str, Any] | None = None
) -> None:
    """Save a fitted model to a file that runs no code when it is loaded.

    The file is a safetensors file: arrays are tensors, everything else is JSON in its metadata. It
    contains what prediction needs, and `load_model` returns a model that predicts the same to the
    last bit on the same machine.

    Parameters
    ----------
    estimator : estimator
        Fitted estimator of ecgbeat; pipeline of scikit-learn or imbalanced-learn, column
        transformer or feature union; scaler, imputer, encoder, linear model or histogram gradient
        boosting of scikit-learn; or a fitted search, such as ``GridSearchCV``, of which the best
        estimator is saved.
    path : str or os.PathLike
        File to write, by convention ``*.safetensors``. An existing file is replaced; if an error
        occurs, it is unchanged.
    card : mapping, default=None
        Description of the model, of any content that JSON can express: the training data, the
        protocol, scores on held-out patients. See `model_info`.

    Raises
    ------
    TypeError
        If ``card`` is no mapping, or not expressible in JSON.
    ValueError
        If the estimator contains code of the user or a class that cannot be stored; the message
        says where, and what to do.
    sklearn.exceptions.NotFittedError
        If the estimator is not fitted.
    OSError
        If the file cannot be written.

    See Also
    --------
    load_model : Load such a file.
    model_info : Read its description.

    Notes
    -----
    The following is not saved, since prediction does not use it: samplers in a pipeline of
    imbalanced-learn, which is loaded as a pipeline of scikit-learn; the optimizer and the callbacks
    of a network, and the batches of its history; the parameters ``n_jobs`` and ``memory``, which
    belong to a machine. ``partial_fit`` of a loaded network continues with its weights and a new
    optimizer.

    Functions are saved by name: those of `ecgbeat.signal`, some of NumPy, and ``functools.partial``
    of them. A network of the user, ``module=``, and classes or functions of the user are refused.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import ecgbeat
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from ecgbeat.datasets import make_heartbeats
    >>> X, y = make_heartbeats(200, classes=("N", "V"), random_state=0, return_X_y=True)
    >>> model = make_pipeline(ecgbeat.ZScoreScaler(), LogisticRegression()).fit(X, y)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "beats.safetensors")
    ...     ecgbeat.save_model(model, path, card={"data": "200 simulated beats"})
    ...     loaded = ecgbeat.load_model(path)
    >>> bool((loaded.predict_proba(X) == model.predict_proba(X)).all())
    True
    """
    card_text = _as_json(card)
    check_is_fitted(estimator)
    stored = _estimators.replaced(estimator)
    if stored is not estimator and hasattr(estimator, "cv_results_"):
        warnings.warn(
            f"The best estimator of {type(estimator).__name__} is saved, without the results of "
            "the search. Pass best_estimator_ to avoid this warning.",
            UserWarning,
            stacklevel=2,
        )
    encoder = Encoder()
    try:
        tree = encoder.encode(stored)
        text = json.dumps(tree, allow_nan=False, separators=(",", ":"))
    except RecursionError as error:
        raise ValueError("The estimator contains itself, or is nested too deep.") from error
    if not isinstance(tree, dict) or "object" not in tree:
        raise ValueError(f"save_model saves estimators, got {type(estimator).__name__}.")
    metadata = {
        "ecgbeat_model": _FORMAT,
        "info": json.dumps(_describe(stored, tree["object"], encoder), default=str),
        "card": card_text,
        "estimator": text,
    }
    write_files({Path(path): pack(encoder.tensors, metadata)}, overwrite=True)


def load_model(path: str | os.PathLike[str]) -> Any:
    """Load a model that `save_model` has saved, without running code of the file.

    Classes and functions come from an allow-list, and their parameters and attributes are
    checked. So a file from elsewhere can be loaded; its predictions are those of its author.

    Parameters
    ----------
    path : str or os.PathLike
        File of `save_model`.

    Returns
    -------
    estimator
        Fitted estimator. A network is loaded to its device, or to the CPU if that is not
        available.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is damaged, is no model file, contains a class that is not allowed or not
        installed, or values that do not fit the installed version of a class.

    Warns
    -----
    UserWarning
        If the file was written with another version of ecgbeat, scikit-learn, skorch or torch.

    See Also
    --------
    save_model : Save a model; with an example.
    model_info : Description of a model, without loading it.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from ecgbeat import BandpassFilter, load_model, save_model
    >>> from ecgbeat.datasets import make_heartbeats
    >>> X = make_heartbeats(10, random_state=0).data
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "filter.safetensors")
    ...     save_model(BandpassFilter(fs=360).fit(X), path)
    ...     load_model(path)
    BandpassFilter(fs=360)
    """
    file = _existing(path)
    note = ""
    try:
        tensors, metadata = unpack(file)
        info = _info(metadata)
        if differences := _version_differences(info["versions"]):
            note = f" It was saved with {differences}."
        estimator = Decoder(tensors).decode(parse_json(metadata["estimator"]))
        if not hasattr(estimator, "fit"):
            raise ValueError(f"It contains no estimator, but {type(estimator).__name__}.")
        check_is_fitted(estimator)
    except _WRONG as error:
        raise ValueError(f"{file} cannot be loaded as a model. {_words(error)}{note}") from error
    if note:
        warnings.warn(
            f"{file}:{note} Predictions may differ: compare them, or save the model again.",
            UserWarning,
            stacklevel=2,
        )
    return estimator


def model_info(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Return the description of a saved model, without loading the model.

    Only the header of the file is read, so this takes about a millisecond for a model of any size.

    Parameters
    ----------
    path : str or os.PathLike
        File of `save_model`.

    Returns
    -------
    dict
        With the keys ``"format"`` (version of the format of the file), ``"estimator"`` (name of the
        class), ``"classes"`` (list of labels, None without a classifier), ``"fs"`` (sampling rate
        in Hz) and ``"n_leads"`` of the first step that has them, ``"n_features_in"`` (columns of
        the input), each None if unknown, ``"versions"`` (dict of packages) and ``"card"`` (as
        passed to `save_model`, None without one).

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is damaged, or no model file.

    See Also
    --------
    save_model : Save a model.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import ecgbeat
    >>> from ecgbeat.datasets import make_heartbeats
    >>> from ecgbeat.persistence import model_info
    >>> X = make_heartbeats(10, random_state=0).data
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "filter.safetensors")
    ...     ecgbeat.save_model(ecgbeat.BandpassFilter(fs=360).fit(X), path, card={"use": "test"})
    ...     info = model_info(path)
    >>> info["estimator"], info["fs"], info["n_leads"], info["card"]
    ('ecgbeat.BandpassFilter', 360, 1, {'use': 'test'})
    """
    file = _existing(path)
    try:
        metadata = read_metadata(file)
        return {"format": int(_FORMAT)} | _info(metadata) | {"card": parse_json(metadata["card"])}
    except _WRONG as error:
        raise ValueError(f"{file} cannot be read as a model. {_words(error)}") from error


def _as_json(card: Mapping[str, Any] | None) -> str:
    """Return a card as JSON."""
    if card is None:
        return "null"
    if not isinstance(card, Mapping):
        raise TypeError(f"card must be a mapping, such as a dict, got {card!r:.80}.")
    try:
        return json.dumps(dict(card), allow_nan=False, default=_plain)
    except (TypeError, ValueError, RecursionError) as error:
        raise TypeError(f"card must contain what JSON can express: {error}") from error


def _plain(value: Any) -> Any:
    """Return a scalar or array of NumPy as a number or list."""
    if isinstance(value, (np.generic, np.ndarray)):
        return value.tolist()
    raise TypeError(f"{value!r:.80} is neither text, number, list nor dict.")


def _describe(estimator: Any, name: str, encoder: Encoder) -> dict[str, Any]:
    """Return the description that follows from the estimator."""
    classes = getattr(estimator, "classes_", None)
    packages = sorted({"ecgbeat", "numpy", *encoder.packages})
    return {
        "estimator": name,
        "classes": None if classes is None else np.asarray(classes).tolist(),
        "fs": encoder.signal.get("fs"),
        "n_leads": encoder.signal.get("n_leads_"),
        "n_features_in": getattr(estimator, "n_features_in_", None),
        "versions": {_NAMES.get(name, name): _version(name) for name in packages},
    }


def _info(metadata: dict[str, str]) -> dict[str, Any]:
    """Return the description in a file of the format that is known."""
    if metadata["ecgbeat_model"] != _FORMAT:
        raise ValueError(
            f"It has the format {metadata['ecgbeat_model']!r:.20}, and this version of ecgbeat "
            f"knows the format {_FORMAT!r}. Update ecgbeat."
        )
    info: dict[str, Any] = parse_json(metadata["info"])
    versions = info["versions"]
    if not all(isinstance(text, str) for item in versions.items() for text in item):
        raise ValueError("The versions of its packages are no texts.")
    return info


def _version_differences(versions: dict[str, str]) -> str:
    """Return the packages of a file whose installed version is another one, in words."""
    installed = {name: _version(_MODULES[name]) for name in versions if name in _MODULES}
    return " and ".join(
        f"{name} {versions[name]:.40} (installed: {version})"
        for name, version in installed.items()
        if version != versions[name]
    )


def _version(package: str) -> str:
    """Return the version of a package, without the kind of its build."""
    version: str = importlib.import_module(package).__version__
    return version.partition("+")[0]


def _existing(path: str | os.PathLike[str]) -> Path:
    file = Path(path)
    if not file.exists():
        raise FileNotFoundError(f"There is no file {file}.")
    if not file.is_file():  # a pipe would be waited for
        raise ValueError(f"{file} cannot be loaded as a model: it is not a file.")
    return file


def _words(error: Exception) -> str:
    """Return the message of an error in one line."""
    text = str(error).partition("\n")[0][:500]
    return f"It lacks {text}." if isinstance(error, LookupError) else text
