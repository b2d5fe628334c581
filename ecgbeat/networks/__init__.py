"""Networks for single beats, as ``torch.nn.Module``."""

from ecgbeat.networks._cnn import BeatCNN
from ecgbeat.networks._cnn_lstm import BeatCNNLSTM
from ecgbeat.networks._ensemble import Ensemble
from ecgbeat.networks._ensemble import count_members as count_members  # for loading
from ecgbeat.networks._ensemble import members_of as members_of  # for classifiers and saliency
from ecgbeat.networks._ensemble import uncompiled as uncompiled
from ecgbeat.networks._kernels import FixedKernels
from ecgbeat.networks._kernels import set_kernels_of_state as set_kernels_of_state  # for files
from ecgbeat.networks._losses import FocalLoss

__all__ = ["BeatCNN", "BeatCNNLSTM", "Ensemble", "FixedKernels", "FocalLoss"]
