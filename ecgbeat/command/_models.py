"""Models given by file or by name."""

from functools import lru_cache
from pathlib import Path
from typing import Any

DEFAULT_MODEL = "nsvf"
MODEL_HELP = "file of a saved model, or name of a trained one (default: %(default)s)"


def resolve_model(model: str) -> str:
    """Return the absolute path of a model file, or the name of a trained model.

    Raises
    ------
    ValueError
        If there is neither such a file nor such a name.
    """
    if Path(model).expanduser().is_file():
        return str(Path(model).expanduser().resolve())
    from ecgbeat.pretrained import PRETRAINED_NAMES

    if model in PRETRAINED_NAMES:
        return model
    raise ValueError(
        f"There is no model file {model}, and no trained model of this name, which are "
        f"{', '.join(PRETRAINED_NAMES)}."
    )


@lru_cache(maxsize=1)
def load(model: str) -> Any:
    """Load a model that `resolve_model` returned, once in a process."""
    if Path(model).is_absolute():
        from ecgbeat.persistence import load_model

        return load_model(model)
    from ecgbeat.pretrained import load_pretrained

    return load_pretrained(model)


def load_annotator(model: str) -> Any:
    """Load a model that annotates whole recordings.

    Raises
    ------
    ValueError
        If the model classifies single beats.
    """
    annotator = load(model)
    if not hasattr(annotator, "annotate"):
        raise ValueError(
            f"The model {model} must annotate recordings, as a BeatAnnotator does, got a "
            f"{type(annotator).__name__}."
        )
    return annotator
