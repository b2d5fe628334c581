"""A fitted estimator as one ``torch.nn.Module`` that maps windows to probabilities."""

import copy
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from sklearn.exceptions import NotFittedError
from torch import Tensor, nn

from ecgbeat._validation import Integral, check_is_fitted
from ecgbeat.classifiers import ECGCNNClassifier, ECGCNNLSTMClassifier
from ecgbeat.export._steps import prediction_steps, step_module
from ecgbeat.networks import uncompiled


class Graph(NamedTuple):
    """Steps from the rows that an estimator takes to the probabilities of its classes."""

    module: nn.Module  # (n_rows, n_features) float32 to (n_rows, n_classes) float32
    classes: np.ndarray  # (n_classes,), labels in the order of the probabilities
    n_features: int  # columns of a row: the leads one after the other, then auxiliary columns
    n_leads: int
    n_times: int  # samples per lead of a row
    n_aux: int  # auxiliary columns of a row
    fs: float | None  # sampling rate in Hz, None if no step knows it


def build_graph(estimator: Any, n_times: int | None = None) -> Graph:
    """Rebuild a fitted estimator in torch.

    Parameters
    ----------
    estimator : object
        Classifier of ecgbeat, pipeline that ends in one, search, or `ecgbeat.BeatAnnotator`.
    n_times : int or None, default=None
        Number of samples per lead of a row. Needed if the estimator does not know it.

    Returns
    -------
    Graph

    Raises
    ------
    sklearn.exceptions.NotFittedError
        If the estimator is not fitted.
    ValueError
        If the estimator has a step without counterpart, or ``n_times`` is missing or wrong.
    """
    fs = estimator.fs if _is_annotator(estimator) else None
    *steps, (name, classifier) = _steps(estimator, "estimator")
    if not isinstance(classifier, (ECGCNNClassifier, ECGCNNLSTMClassifier)):
        raise ValueError(
            f"{name} must be a fitted ECGCNNClassifier or ECGCNNLSTMClassifier, a "
            "pipeline or search that ends in one, or a BeatAnnotator of one, got "
            f"{type(classifier).__name__}, which cannot be exported."
        )
    check_is_fitted(classifier)
    modules = [step_module(step, step_name) for step_name, step in steps]
    first = steps[0][1] if steps else classifier
    is_wave = hasattr(first, "n_leads_") and first is not classifier  # takes leads alone
    n_leads = (
        first.n_leads_ if is_wave else getattr(classifier, "n_leads_", classifier.n_leads or 1)
    )
    n_aux = 0 if is_wave else classifier.n_aux_features
    n_features = _count_columns(first, n_leads, n_aux, n_times)
    parameters = [named for _, step in steps for named in step.get_params().items()]
    rates = [value for parameter, value in parameters if parameter.split("__")[-1] == "fs"]
    module = nn.Sequential(*modules, _Network(classifier)).eval()
    n_classes = module(torch.zeros(1, n_features)).shape[1]
    return Graph(
        module,
        # labels of a network that was loaded, not fitted, may be unknown; it predicts numbers
        np.asarray(getattr(classifier, "classes_", range(n_classes))),
        n_features,
        n_leads,
        (n_features - n_aux) // n_leads,
        n_aux,
        fs if fs is not None else rates[0] if rates else None,
    )


def _steps(estimator: Any, name: str) -> list[tuple[str, Any]]:
    """Return name and object of the steps that act in prediction, the classifier last."""
    if _is_annotator(estimator):
        check_is_fitted(estimator)
        return _steps(estimator.classifier_, "classifier_")
    if hasattr(estimator, "best_estimator_"):
        return _steps(estimator.best_estimator_, "best_estimator_")
    if hasattr(estimator, "refit"):  # a search
        raise NotFittedError(
            f"This {type(estimator).__name__} has no best_estimator_: call fit, with refit=True."
        )
    if not hasattr(estimator, "steps"):
        return [(name, estimator)]
    *before, (last_name, last) = prediction_steps(estimator, name) or [(name, None)]
    return [*before, *_steps(last, last_name)]


def _is_annotator(estimator: Any) -> bool:
    """Return whether an estimator is a BeatAnnotator, whose package lies beside this one."""
    return hasattr(estimator, "annotate") and hasattr(estimator, "classifier")


def _count_columns(first: Any, n_leads: int, n_aux: int, n_times: int | None) -> int:
    """Return the number of columns of a row; raise if ``n_times`` is missing or wrong."""
    if n_times is not None and (not isinstance(n_times, Integral) or n_times < 1):
        raise ValueError(f"n_times must be an integer of 1 or more, or None, got {n_times!r}.")
    known = getattr(first, "n_features_in_", None)
    if known is None and n_times is None:
        raise ValueError(
            f"{type(first).__name__} does not know the length of its rows: pass n_times=, the "
            "number of samples per lead."
        )
    if known is None:
        return n_leads * int(n_times or 0) + n_aux
    if n_times is not None and n_leads * n_times + n_aux != known:
        raise ValueError(
            f"n_times={n_times!r} is not the length of the rows that {type(first).__name__} was "
            f"fitted with: {(known - n_aux) // n_leads} samples of each of {n_leads} lead(s)"
            f"{f', and {n_aux} auxiliary columns' if n_aux else ''}."
        )
    return int(known)


class _Network(nn.Module):
    """Network of a classifier, followed by the function that makes probabilities of its output."""

    def __init__(self, classifier: Any) -> None:
        super().__init__()
        self.network = copy.deepcopy(uncompiled(classifier.module_)).cpu().float()
        self.probabilities: Callable[[Tensor], Tensor] = classifier._get_predict_nonlinearity()

    def forward(self, rows: Tensor) -> Tensor:
        return self.probabilities(self.network(rows))
