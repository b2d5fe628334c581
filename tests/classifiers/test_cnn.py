import inspect

import numpy as np
import pytest

from ecgbeat import ECGCNNClassifier, ECGCNNLSTMClassifier
from ecgbeat.networks import BeatCNN, BeatCNNLSTM


@pytest.mark.parametrize(
    ("net_class", "network"), [(ECGCNNClassifier, BeatCNN), (ECGCNNLSTMClassifier, BeatCNNLSTM)]
)
def test_defaults_equal_those_of_the_network(net_class, network):
    described = {name: p.default for name, p in inspect.signature(network).parameters.items()}
    parameters = net_class().get_params()
    del described["n_classes"], described["n_leads"]  # inferred from the beats
    assert {name: parameters[name] for name in described} == described


@pytest.mark.slow
@pytest.mark.parametrize("net", [ECGCNNClassifier(random_state=0)])
def test_defaults_reach_98_percent_on_the_official_kaggle_split(real_data, net):
    train, test = (
        np.load(real_data / f"kaggle_heartbeat/mitbih_{part}.npz") for part in ("train", "test")
    )
    net.fit(train["X"], train["y"])
    assert net.score(test["X"], test["y"]) >= 0.98
