import pytest

from ecgbeat import ECGCNNClassifier, ECGCNNLSTMClassifier


def test_parameters_are_those_of_the_cnn_and_three_more():
    own = ECGCNNLSTMClassifier().get_params(deep=False)
    shared = ECGCNNClassifier().get_params(deep=False)
    assert own.keys() - shared.keys() == {"hidden_size", "n_layers", "bidirectional"}
    assert {name: own[name] for name in shared} == shared


def test_recurrent_parameters_reach_the_network(beats):
    net = ECGCNNLSTMClassifier(
        n_filters=2, hidden_size=3, n_layers=2, bidirectional=True, max_epochs=1
    ).fit(*beats)
    lstm = net.module_.lstm
    assert (lstm.hidden_size, lstm.num_layers, lstm.bidirectional) == (3, 2, True)


@pytest.mark.parametrize(
    "parameters", [{"hidden_size": 0}, {"n_layers": 0}, {"bidirectional": "yes"}]
)
def test_invalid_recurrent_parameters_raise(beats, parameters):
    with pytest.raises(ValueError, match=f"'{next(iter(parameters))}' parameter"):
        ECGCNNLSTMClassifier(**parameters).fit(*beats)


def test_high_accuracy_on_training_data(beats):
    net = ECGCNNLSTMClassifier(n_filters=4, hidden_size=8, max_epochs=20, random_state=0)
    assert net.fit(*beats).score(*beats) > 0.9
