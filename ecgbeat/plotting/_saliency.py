"""Saliency of the samples of a beat for a network."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator

from ecgbeat._validation import Integral, import_extra, lead_layout
from ecgbeat.plotting._estimators import unwrap

METHODS = ("integrated_gradients", "gradient", "grad_cam")
_N_STEPS, _N_STEPS_OF_KERNELS = 64, 512
_BATCH_BEATS = 64  # attributed at once
_BATCH_STEPS = 512  # beats that go through the network at once on a path of integration


def saliency(
    classifier: BaseEstimator,
    X: ArrayLike,
    target: ArrayLike | None = None,
    *,
    method: str = "integrated_gradients",
    n_steps: int | None = None,
) -> np.ndarray:
    """Compute the relevance of each sample of a beat to the score of a class.

    Parameters
    ----------
    classifier : estimator
        Fitted `ECGCNNClassifier`, `ECGCNNLSTMClassifier` or other skorch classifier, or a
        pipeline or search that ends in one.
    X : array-like of shape (n_beats, n_features) or (n_beats, n_leads, n_times)
        Input of ``classifier``.
    target : label or array-like of shape (n_beats,), default=None
        Class to explain, the same for all beats or one for each. None takes the predicted
        class.
    method : {"integrated_gradients", "gradient", "grad_cam"}, default="integrated_gradients"
        Attribution method.

        - ``"integrated_gradients"`` [1]_: amount by which each sample raises (or lowers, if
          negative) the score of the class, the network's output before the softmax, relative
          to a row of zeros. The values of a beat add up to its score minus that of the zeros,
          up to the error of ``n_steps`` steps. Zeros are the mean of a beat after a
          `ZScoreScaler` and the isoelectric line without one.
        - ``"gradient"`` [2]_: derivative of the score with respect to each sample.
        - ``"grad_cam"`` [3]_: response of the convolutions in favor of the class around each
          sample, never negative. It is coarse: one value for every 16 samples with three
          blocks, and the same for all leads. It leaves out fixed kernels.
    n_steps : int or None, default=None
        Number of integration steps. None means 64, and 512 for a network with fixed kernels, whose
        score is steeper.

    Returns
    -------
    ndarray, float32
        Relevance, of the shape of the network's input: after a `RPeakSegmenter`, the samples are
        those of the cut beat. Auxiliary columns have values of their own, NaN with
        ``"grad_cam"``.

    Raises
    ------
    ImportError
        If captum is not installed (``pip install "ecgbeat[plot]"``).
    sklearn.exceptions.NotFittedError
        If the classifier is not fitted.
    TypeError
        If the classifier does not end in a network.
    ValueError
        If ``X`` is not a valid input of the classifier, or ``target``, ``method`` or ``n_steps``
        is invalid.

    See Also
    --------
    SaliencyDisplay : Display of the relevance of one beat.

    Notes
    -----
    The methods are captum's; of several members, the mean relevance is returned. They explain the
    computation of the network, not the heart: the relevance of a badly trained network looks just
    as smooth. Compare methods, beats and networks before you rely on a single figure.

    Grad-CAM takes the output of the network's convolutional front, or that of the last
    convolution of a network that is not from this package. It is unreliable on networks as
    small as these: for beats whose classes differed at one known position, integrated gradients
    were largest there in all of eight networks, Grad-CAM in none to all of the beats.

    References
    ----------
    .. [1] M. Sundararajan, A. Taly, Q. Yan (2017). Axiomatic attribution for deep networks.
       ICML. https://proceedings.mlr.press/v70/sundararajan17a.html
    .. [2] K. Simonyan, A. Vedaldi, A. Zisserman (2014). Deep inside convolutional networks:
       visualising image classification models and saliency maps. arXiv:1312.6034
    .. [3] R. R. Selvaraju et al. (2017). Grad-CAM: visual explanations from deep networks via
       gradient-based localization. ICCV. doi:10.1109/ICCV.2017.74

    Examples
    --------
    >>> from ecgbeat import ECGCNNClassifier
    >>> from ecgbeat.datasets import make_heartbeats
    >>> from ecgbeat.plotting import saliency
    >>> beats = make_heartbeats(120, n_patients=8, before=0.2, after=0.3, fs=100, random_state=0)
    >>> net = ECGCNNClassifier(n_filters=4, max_epochs=3, random_state=0)
    >>> net = net.fit(beats.data, beats.target)
    >>> saliency(net, beats.data[:5]).shape
    (5, 50)
    >>> saliency(net, beats.data[:5], target="V", method="grad_cam").shape
    (5, 50)
    """
    if method not in METHODS:
        raise ValueError(f"method must be one of {METHODS}, got {method!r}.")
    if n_steps is not None and (not isinstance(n_steps, Integral) or n_steps < 1):
        raise ValueError(f"n_steps must be a positive integer or None, got {n_steps!r}.")
    captum = import_extra("captum.attr", extra="plot", purpose="saliency")
    rows, net = rows_of_network(classifier, X)
    predicted = net.predict(rows)  # validates the rows
    codes = _class_codes(net.classes_, predicted if target is None else target, len(rows))
    from ecgbeat.networks import members_of, uncompiled  # torch is imported when a network is there

    networks = members_of(net.module_)
    has_kernels = getattr(net, "fixed_kernels_", False)
    if has_kernels and method != "grad_cam":
        networks = [uncompiled(net.module_)]  # an ensemble has them, not its members
    if n_steps is None:
        n_steps = _N_STEPS_OF_KERNELS if has_kernels else _N_STEPS
    attributes = [_attribution(captum, one, method, int(n_steps)) for one in networks]

    def attribute(inputs: Any, codes: Any) -> Any:
        return sum(of_member(inputs, codes) for of_member in attributes) / len(attributes)

    parts = [
        _attribute_batch(net, attribute, rows[at : at + _BATCH_BEATS], codes[at:])
        for at in range(0, len(rows), _BATCH_BEATS)
    ]
    found = np.concatenate(parts)
    if method == "grad_cam":
        found = _spread_over_leads(found, rows.shape, net, networks[0])
    return found


def rows_of_network(classifier: BaseEstimator, X: ArrayLike) -> tuple[np.ndarray, Any]:
    """Return the input of the network at the end of a classifier, and this network."""
    if hasattr(classifier, "annotate"):
        raise TypeError(
            f"classifier must classify single beats, got {type(classifier).__name__}. Pass "
            "annotator.classifier_ and its rows."
        )
    transformers, net = unwrap(classifier)
    if not (hasattr(net, "module_") and hasattr(net, "classes_")):
        raise TypeError(
            f"classifier must end in a network, got {type(classifier).__name__}, which ends in "
            f"{type(net).__name__}. Pass an ECGCNNClassifier or a pipeline that ends in one."
        )
    for transformer in transformers:
        X = transformer.transform(X)
    return np.asarray(X, dtype=np.float32), net


def _class_codes(classes: np.ndarray, target: ArrayLike, n_beats: int) -> np.ndarray:
    """Return the index of the class to explain for each beat."""
    wanted = np.asarray(target)
    if wanted.ndim == 0:
        wanted = np.repeat(wanted, n_beats)
    if wanted.shape != (n_beats,):
        raise ValueError(
            f"target must be one class, or one for each of the {n_beats} beats, got shape "
            f"{wanted.shape}."
        )
    codes = {label: code for code, label in enumerate(classes.tolist())}
    unknown = sorted({str(label) for label in wanted.tolist() if label not in codes})
    if unknown:
        raise ValueError(f"target must be of the classes {list(codes)}, got {unknown}.")
    return np.array([codes[label] for label in wanted.tolist()])


def _attribution(captum: Any, network: Any, method: str, n_steps: int) -> Callable[..., Any]:
    """Return a function that attributes the scores of a batch of rows to their samples."""

    def score(rows: Any) -> Any:
        output = network(rows)
        return output[0] if isinstance(output, tuple) else output

    if method == "gradient":
        return lambda rows, codes: captum.Saliency(score).attribute(rows, codes, abs=False)
    if method == "grad_cam":
        cam = captum.LayerGradCam(score, _last_convolution(network))
        return lambda rows, codes: cam.attribute(rows, codes, relu_attributions=True)
    return lambda rows, codes: captum.IntegratedGradients(score).attribute(
        rows, target=codes, n_steps=n_steps, internal_batch_size=_BATCH_STEPS
    )


def _last_convolution(network: Any) -> Any:
    """Return the layer whose output is weighted by Grad-CAM."""
    from torch import nn

    if hasattr(network, "front"):  # a network of this package
        return network.front
    layers = [m for m in network.modules() if isinstance(m, (nn.Conv1d, nn.Conv2d))]
    if not layers:
        raise ValueError(
            "method='grad_cam' needs a network with convolutions, got "
            f"{type(network).__name__}. Use 'integrated_gradients'."
        )
    return layers[-1]


def _attribute_batch(
    net: Any, attribute: Callable[..., Any], rows: np.ndarray, codes: np.ndarray
) -> np.ndarray:
    """Attribute some beats, without changes to the weights of the network or their gradients."""
    import torch

    inputs = torch.tensor(rows, device=net.device).requires_grad_()
    targets = torch.as_tensor(codes[: len(rows)], device=net.device)
    # cuDNN's recurrent layers have gradients in training mode only, torch's own always
    with torch.backends.cudnn.flags(enabled=False):
        found = attribute(inputs, targets)
    return found.detach().cpu().float().numpy()


def _spread_over_leads(
    cam: np.ndarray, shape: tuple[int, ...], net: Any, network: Any
) -> np.ndarray:
    """Interpolate the values of Grad-CAM to the samples of each lead."""
    n_leads, n_times, n_aux = wave_shape(net, shape)
    cam = cam.reshape(len(cam), -1)
    n_coarse = cam.shape[1]
    # strides round up: the last value of our front covers samples behind the end as well
    cell = getattr(network, "min_times", 0) - 1
    cell = cell if hasattr(network, "front") else n_times / n_coarse
    centers = (np.arange(n_coarse) + 0.5) * cell - 0.5
    fine = np.array([np.interp(np.arange(n_times), centers, row) for row in cam], np.float32)
    if len(shape) == 3:
        return np.repeat(fine[:, np.newaxis], n_leads, axis=1)
    aux = np.full((len(fine), n_aux), np.nan, np.float32)
    return np.concatenate([np.tile(fine, n_leads), aux], axis=1)


def wave_shape(net: Any, shape: tuple[int, ...]) -> tuple[int, int, int]:
    """Return the numbers of leads, samples per lead and auxiliary columns of a network's rows."""
    if len(shape) == 3:
        return shape[1], shape[2], 0
    layout = lead_layout(
        shape[1], getattr(net, "n_leads_", 1), int(getattr(net, "n_aux_features", 0))
    )
    return layout.n_leads, layout.n_times, layout.n_aux
