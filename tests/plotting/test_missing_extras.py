import sys

import pytest

from ecgbeat.plotting import (
    BeatsDisplay,
    RecordingDisplay,
    SaliencyDisplay,
    TrainingHistoryDisplay,
    saliency,
)


@pytest.fixture
def without_matplotlib(monkeypatch):
    for name in ("matplotlib", "matplotlib.pyplot"):
        monkeypatch.setitem(sys.modules, name, None)


@pytest.fixture
def without_captum(monkeypatch):
    for name in ("captum", "captum.attr"):
        monkeypatch.setitem(sys.modules, name, None)


@pytest.mark.usefixtures("without_matplotlib")
@pytest.mark.parametrize(
    "draw",
    [
        lambda: BeatsDisplay.from_beats([[1.0] * 20], ["N"], fs=100),
        lambda: BeatsDisplay.from_predictions([[1.0] * 20], ["N"], ["N"], fs=100),
        lambda: BeatsDisplay.from_estimator(None, [[1.0] * 20], fs=100),
        lambda: RecordingDisplay.from_predictions([1.0] * 20, [3], fs=100),
        lambda: RecordingDisplay.from_estimator(None, [1.0] * 20),
        lambda: TrainingHistoryDisplay.from_estimator(None),
        lambda: TrainingHistoryDisplay.from_history([]),
        lambda: SaliencyDisplay.from_estimator(None, [1.0] * 20, fs=100),
    ],
)
def test_missing_matplotlib_raises_with_the_command_that_installs_it(draw):
    with pytest.raises(ImportError, match=r'needs matplotlib: pip install "ecgbeat\[plot\]"'):
        draw()


@pytest.mark.usefixtures("without_captum")
def test_missing_captum_raises_with_the_command_that_installs_it(net, simulated):
    with pytest.raises(ImportError, match=r'saliency needs captum: pip install "ecgbeat\[plot\]"'):
        saliency(net, simulated.data[:2])
