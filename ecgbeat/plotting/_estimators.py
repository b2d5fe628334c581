"""Access to the network inside of pipelines, searches and annotators."""

from typing import Any

from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError

from ecgbeat._validation import check_is_fitted


def unwrap(estimator: BaseEstimator) -> tuple[list[Any], Any]:
    """Return the transformers and the final estimator of nested pipelines and searches.

    The transformers are in order, without resamplers. An annotator counts as a pipeline. All must
    be fitted.
    """
    transformers: list[Any] = []
    while True:
        check_is_fitted(estimator)
        if getattr(estimator, "initialized_", True) is False:  # a new net of skorch
            raise NotFittedError(f"This {type(estimator).__name__} is not fitted yet. Call 'fit'.")
        if hasattr(estimator, "best_estimator_"):
            estimator = estimator.best_estimator_
        elif hasattr(estimator, "steps"):
            # the samplers of imbalanced-learn have no transform
            steps = [step for _, step in estimator.steps[:-1]]
            transformers += [step for step in steps if hasattr(step, "transform")]
            estimator = estimator.steps[-1][1]
        elif hasattr(estimator, "classifier_"):
            estimator = estimator.classifier_
        else:
            return transformers, estimator


def final_class_name(estimator: BaseEstimator) -> str:
    """Return the class name of the final estimator, which need not be fitted."""
    while hasattr(estimator, "steps") or hasattr(estimator, "best_estimator_"):
        steps = getattr(estimator, "steps", None)
        estimator = steps[-1][1] if steps else estimator.best_estimator_
    return type(estimator).__name__
