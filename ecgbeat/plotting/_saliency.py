"""What a network looks at in a beat (layer 3)."""

from collections.abc import Callable
from typing import Any

import numpy as np

from ecgbeat._validation import Integral, lead_layout
from ecgbeat.plotting._estimators import unwrap
from ecgbeat.plotting._extras import import_captum

METHODS = ("integrated_gradients", "gradient", "grad_cam")
_BATCH_BEATS = 64  # attributed at once
_BATCH_STEPS = 512  # beats that go through the network at once on a path of integration


def saliency(
    classifier: Any,
    X: Any,
    target: Any = None,
    *,
    method: str = "integrated_gradients",
    n_steps: int = 64,
) -> np.ndarray:
    """Tell how much each sample of a beat speaks for a class.

    Parameters
    ----------
    classifier : estimator
        A fitted `ECGCNNClassifier`, `ECGCNNLSTMClassifier` or other skorch classifier, or a
        pipeline or search that ends in one.
    X : array-like of shape (n_beats, n_features) or (n_beats, n_leads, n_times)
        Beats as ``classifier`` takes them.
    target : label or array-like of shape (n_beats,), default=None
        The class to explain, the same for all beats or one for each. None takes the predicted
        one.
    method : {"integrated_gradients", "gradient", "grad_cam"}, default="integrated_gradients"
        ``"integrated_gradients"`` [1]_: by how much each sample raises (or lowers, if negative)
        the score of the class, the network's output before the softmax, against a row of
        zeros. The parts of a beat add up to its score less that of the zeros, as far as
        ``n_steps`` allow. Zeros are the mean of a beat behind a `ZScoreScaler` and the
        isoelectric line without one.
        ``"gradient"`` [2]_: the derivative of the score, how fast it would rise with each
        sample.
        ``"grad_cam"`` [3]_: how strongly the convolutions respond in favour of the class
        around each sample, never negative. It is coarse: one value for each 16 samples
        with three blocks, and the same for all leads.
    n_steps : int, default=64
        Steps of the integration.

    Returns
    -------
    ndarray, float32
        Of the shape of what reaches the network, whose columns these are: behind a
        `RPeakSegmenter` they are those of the cut beat. Auxiliary columns have their own values;
        with ``"grad_cam"``, which does not see them, NaN.

    Raises
    ------
    ImportError
        If captum is not installed (``pip install "ecgbeat[plot]"``).
    sklearn.exceptions.NotFittedError
        If the classifier is not fitted.
    TypeError
        If it does not end in a network.
    ValueError
        If ``X`` is not what the classifier takes, ``target`` is no class of it, or a parameter
        is unknown.

    See Also
    --------
    SaliencyDisplay : The same as a picture.

    Notes
    -----
    The methods are captum's. They explain what the network computes, not what is so in the
    heart: a network that has learned the wrong thing is explained just as smoothly. Compare
    methods, beats and networks before you believe a single picture.

    Grad-CAM takes the output of the network's convolutional front, and of a network that is
    not of this package that of its last convolution. On networks as small as these it often
    points elsewhere: of beats whose classes differed in one known place, integrated gradients
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
    if not isinstance(n_steps, Integral) or n_steps < 1:
        raise ValueError(f"n_steps must be a whole number from 1, got {n_steps!r}.")
    import_captum("saliency")
    rows, net = rows_of_network(classifier, X)
    predicted = net.predict(rows)  # which checks the rows
    codes = _codes(net.classes_, predicted if target is None else target, len(rows))
    attribute = _attribution(net.module_, method, int(n_steps))
    parts = [
        _attribute_batch(net.device, attribute, rows[at : at + _BATCH_BEATS], codes[at:])
        for at in range(0, len(rows), _BATCH_BEATS)
    ]
    found = np.concatenate(parts)
    if method == "grad_cam":
        found = _spread_over_leads(found, rows.shape, net)
    return found


def rows_of_network(classifier: Any, X: Any) -> tuple[np.ndarray, Any]:
    """Return the rows that reach the network of a classifier, and this network.

    Raises
    ------
    TypeError
        If there is no network.
    """
    if hasattr(classifier, "annotate"):
        raise TypeError(
            "saliency explains single beats: pass annotator.classifier_ and rows as it gets "
            "them, not the annotator."
        )
    transformers, net = unwrap(classifier)
    if not (hasattr(net, "module_") and hasattr(net, "classes_")):
        raise TypeError(
            f"saliency needs a network: {type(classifier).__name__} ends in "
            f"{type(net).__name__}. Pass an ECGCNNClassifier or a pipeline that ends in one."
        )
    for transformer in transformers:
        X = transformer.transform(X)
    return np.asarray(X, dtype=np.float32), net


def _codes(classes: np.ndarray, target: Any, n_beats: int) -> np.ndarray:
    """Return the number of the class to explain for each beat."""
    wanted = np.asarray(target)
    if wanted.ndim == 0:
        wanted = np.repeat(wanted, n_beats)
    if wanted.shape != (n_beats,):
        raise ValueError(
            f"target must be one class, or one for each of the {n_beats} beats, got shape "
            f"{wanted.shape}."
        )
    number = {label: code for code, label in enumerate(classes.tolist())}
    unknown = sorted({str(label) for label in wanted.tolist() if label not in number})
    if unknown:
        raise ValueError(f"target: {unknown} are no classes of the network; it has {list(number)}.")
    return np.array([number[label] for label in wanted.tolist()])


def _attribution(network: Any, method: str, n_steps: int) -> Callable[[Any, Any], Any]:
    """Return what attributes the scores of a batch of rows, given the numbers of classes."""
    captum = import_captum("saliency")
    network = getattr(network, "_orig_mod", network)  # of torch.compile

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
    """Return the layer whose output Grad-CAM weights."""
    from torch import nn

    if hasattr(network, "front"):  # of this package
        return network.front
    layers = [m for m in network.modules() if isinstance(m, (nn.Conv1d, nn.Conv2d))]
    if not layers:
        raise ValueError("grad_cam needs a network with convolutions, and this one has none.")
    return layers[-1]


def _attribute_batch(
    device: Any, attribute: Callable[[Any, Any], Any], rows: np.ndarray, codes: np.ndarray
) -> np.ndarray:
    """Attribute some beats; the weights of the network and their gradients stay as they are."""
    import torch

    inputs = torch.tensor(rows, device=device).requires_grad_()
    targets = torch.as_tensor(codes[: len(rows)], device=device)
    # cuDNN's recurrent layers have no gradient while they do not learn; torch's own have
    with torch.backends.cudnn.flags(enabled=False):
        found = attribute(inputs, targets)
    return found.detach().cpu().float().numpy()


def _spread_over_leads(cam: np.ndarray, shape: tuple[int, ...], net: Any) -> np.ndarray:
    """Give each sample of each lead the value of Grad-CAM around it."""
    n_leads, n_times, n_aux = wave_shape(net, shape)
    cam = cam.reshape(len(cam), -1)
    n_coarse = cam.shape[1]
    # strides round up: the last value of our front stands for samples behind the end, too
    cell = getattr(net.module_, "min_times", 0) - 1
    cell = cell if hasattr(net.module_, "front") else n_times / n_coarse
    centers = (np.arange(n_coarse) + 0.5) * cell - 0.5
    fine = np.array([np.interp(np.arange(n_times), centers, row) for row in cam], np.float32)
    if len(shape) == 3:
        return np.repeat(fine[:, np.newaxis], n_leads, axis=1)
    aux = np.full((len(fine), n_aux), np.nan, np.float32)
    return np.concatenate([np.tile(fine, n_leads), aux], axis=1)


def wave_shape(net: Any, shape: tuple[int, ...]) -> tuple[int, int, int]:
    """Return how many leads, samples a lead and auxiliary columns are in rows of a network."""
    if len(shape) == 3:
        return shape[1], shape[2], 0
    layout = lead_layout(
        shape[1], getattr(net, "n_leads_", 1), int(getattr(net, "n_aux_features", 0))
    )
    return layout.n_leads, layout.n_times, layout.n_aux
