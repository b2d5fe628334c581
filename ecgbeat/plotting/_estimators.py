"""From an estimator to the network in it (layer 3)."""

from typing import Any

from sklearn.exceptions import NotFittedError

from ecgbeat._validation import check_is_fitted


def unwrap(estimator: Any) -> tuple[list[Any], Any]:
    """Open searches, pipelines and annotators, as far as they hold one another.

    Parameters
    ----------
    estimator : estimator
        Fitted.

    Returns
    -------
    transformers : list of estimator
        What changes the rows on their way to the last one, in order. Resampling does not.
    last : estimator
        What is trained in the end.

    Raises
    ------
    sklearn.exceptions.NotFittedError
        If one of them is not fitted.
    """
    transformers: list[Any] = []
    while True:
        check_is_fitted(estimator)
        if getattr(estimator, "initialized_", True) is False:  # a net of skorch, new
            raise NotFittedError(f"this {type(estimator).__name__} is not fitted yet: call fit.")
        if hasattr(estimator, "best_estimator_"):
            estimator = estimator.best_estimator_
        elif hasattr(estimator, "steps"):
            # of imbalanced-learn's samplers none transforms
            steps = [step for _, step in estimator.steps[:-1]]
            transformers += [step for step in steps if hasattr(step, "transform")]
            estimator = estimator.steps[-1][1]
        elif hasattr(estimator, "classifier_"):
            estimator = estimator.classifier_
        else:
            return transformers, estimator


def name_of(estimator: Any) -> str:
    """Return the name of the class of what is trained in the end."""
    while hasattr(estimator, "steps") or hasattr(estimator, "best_estimator_"):
        steps = getattr(estimator, "steps", None)
        estimator = steps[-1][1] if steps else estimator.best_estimator_
    return type(estimator).__name__
