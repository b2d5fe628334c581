"""Alternative networks for training_study.py."""

from torch import nn
from torch.nn import functional

from ecgbeat.networks import BeatCNN
from ecgbeat.networks._cnn import Head, as_image

KERNEL_SIZE = 5
N_FILTERS = 16
DROPOUT = 0.1
N_TIMES_OUT = 6  # of the flattened features


def convolution(n_in, n_out):
    """Return a convolution over time with batch norm."""
    padding = (0, KERNEL_SIZE // 2)
    layer = nn.Conv2d(n_in, n_out, (1, KERNEL_SIZE), padding=padding, bias=False)
    return nn.Sequential(layer, nn.BatchNorm2d(n_out))


class PooledBlock(nn.Module):
    """Residual block at full length, followed by max pooling."""

    def __init__(self, n_in, n_out):
        super().__init__()
        self.branch = nn.Sequential(
            convolution(n_in, n_out),
            nn.ReLU(inplace=True),
            nn.Dropout2d(DROPOUT),
            convolution(n_out, n_out),
        )
        self.shortcut = nn.Identity() if n_in == n_out else nn.Conv2d(n_in, n_out, 1)
        self.pool = nn.MaxPool2d((1, 2), ceil_mode=True)

    def forward(self, waves):
        return self.pool(functional.relu(self.branch(waves) + self.shortcut(waves)))


class PooledCNN(BeatCNN):
    """BeatCNN with pooling instead of strides, and a first convolution at full length."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        widths = [N_FILTERS, N_FILTERS, 2 * N_FILTERS, 4 * N_FILTERS]
        blocks = map(PooledBlock, widths, widths[1:])
        self.front = nn.Sequential(convolution(1, N_FILTERS), nn.ReLU(inplace=True), *blocks)


class FlatCNN(BeatCNN):
    """BeatCNN with a head on means over sixths of the time axis."""

    def __init__(self, n_classes=None, **options):
        super().__init__(n_classes, **options)
        width = 4 * N_FILTERS
        self.head = Head(N_TIMES_OUT * width, width, n_classes, DROPOUT)

    def forward(self, rows):
        features = self.front(as_image(rows.unsqueeze(1)))
        return self.head(functional.adaptive_avg_pool2d(features, (1, N_TIMES_OUT)).flatten(1))
