"""Neural networks as scikit-learn classifiers, on skorch."""

from ecgbeat.classifiers._batches import batch_loader
from ecgbeat.classifiers._cnn import ECGCNNClassifier
from ecgbeat.classifiers._cnn_lstm import ECGCNNLSTMClassifier

__all__ = ["ECGCNNClassifier", "ECGCNNLSTMClassifier", "batch_loader"]
