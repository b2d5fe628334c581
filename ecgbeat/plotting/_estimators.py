"""Access to the network inside of pipelines, searches and annotators."""

from typing import Any

from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError

from ecgbeat._validation import check_is_fitted


def unwrap(estimator: BaseEstimator) -> tuple[list[Any], Any]:
    """Return the transformers and the final estimator of fitted, nested pipelines and searches."""
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
