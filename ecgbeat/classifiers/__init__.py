"""Neural networks as scikit-learn classifiers, on skorch."""

from ecgbeat.classifiers._batches import batch_loader
from ecgbeat.classifiers._cnn import ECGCNNClassifier
from ecgbeat.classifiers._cnn_lstm import ECGCNNLSTMClassifier
from ecgbeat.classifiers._muon import MuonAdamW

__all__ = ["ECGCNNClassifier", "ECGCNNLSTMClassifier", "MuonAdamW", "batch_loader"]
