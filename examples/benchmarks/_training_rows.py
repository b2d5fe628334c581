"""Rows of training_peers.py. Packages are imported when the model of a row is built."""

import warnings
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from _fresh_process import available_memory

FLOAT64_BYTES = 8
MEMORY_FRACTION = 0.8  # of the available memory, for one row
N_VOTERS = 3


class Setting(NamedTuple):
    """Options of a row."""

    seed: int
    threads: int
    device: str
    epochs_scale: float  # factor for the epochs of the project rows
    epochs: int | None = None  # of ecgbeat's network; None: default of ECGCNNClassifier

    def budget(self):
        """Return the parameters that replace the number of epochs."""
        return {} if self.epochs is None else {"max_epochs": self.epochs}


class Row(NamedTuple):
    """Row of the table."""

    description: str
    distribution: str  # required package
    build: Callable[[Setting], Any]  # returns a classifier


# --- ecgbeat ------------------------------------------------------------------------


def ecgbeat_cnn(setting):
    from ecgbeat import ECGCNNClassifier

    return ECGCNNClassifier(random_state=setting.seed, device=setting.device, **setting.budget())


def ecgbeat_lstm(setting):
    from ecgbeat import ECGCNNLSTMClassifier

    return ECGCNNLSTMClassifier(
        random_state=setting.seed, device=setting.device, **setting.budget()
    )


def ecgbeat_best(setting):
    from _training_settings import BEST

    return ecgbeat_cnn(setting).set_params(**BEST | setting.budget())


def ecgbeat_members(setting):
    return ecgbeat_cnn(setting).set_params(n_members=N_VOTERS)


def ecgbeat_vote(setting):
    from sklearn.ensemble import VotingClassifier

    seeds = range(N_VOTERS * setting.seed, N_VOTERS * (setting.seed + 1))
    nets = [(f"seed{seed}", ecgbeat_cnn(setting._replace(seed=seed))) for seed in seeds]
    return VotingClassifier(nets, voting="soft")


# --- the same network in other training loops ----------------------------------------------


def torch_loop(setting):
    from _torch_loop import TorchClassifier, train
    from _training_settings import default_recipe

    def train_default(X, y, device):
        recipe = default_recipe(
            len(X), len(np.unique(y)), random_state=setting.seed, **setting.budget()
        )
        return train(recipe, X, y, device)

    return TorchClassifier(train_default, setting.seed, setting.device)


def skorch(setting):
    import torch
    from _torch_loop import TorchClassifier
    from _training_settings import default_recipe
    from skorch import NeuralNetClassifier
    from skorch.callbacks import LRScheduler
    from torch.optim.lr_scheduler import OneCycleLR

    class Skorch(TorchClassifier):
        """Net as in the documentation of skorch, with the number of steps known in advance."""

        def fit(self, X, y):
            torch.manual_seed(self.seed)
            recipe = default_recipe(
                len(X), len(np.unique(y)), random_state=self.seed, **setting.budget()
            )
            steps = recipe.epochs * -(-len(X) // recipe.batch_size)
            self.net_ = NeuralNetClassifier(
                recipe.module,
                criterion=recipe.criterion,
                optimizer=torch.optim.AdamW,
                optimizer__weight_decay=recipe.weight_decay,
                optimizer__fused=True,
                lr=recipe.lr,
                max_epochs=recipe.epochs,
                batch_size=recipe.batch_size,
                iterator_train__shuffle=True,
                train_split=None,
                callbacks=[
                    LRScheduler(OneCycleLR, step_every="batch", max_lr=recipe.lr, total_steps=steps)
                ],
                device=self.device,
                verbose=0,
            ).fit(X, y)
            self.module_ = self.net_.module_
            return self

        def predict_proba(self, X):
            return self.net_.predict_proba(X)

    return Skorch(None, setting.seed, setting.device)


# --- other classifiers -----------------------------------------------------------------------


def minirocket(setting):
    from aeon.transformations.collection.convolution_based import MiniRocket
    from scipy.linalg import LinAlgWarning
    from sklearn.linear_model import RidgeClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer, StandardScaler

    # caused by nearly collinear features, which the ridge penalty handles
    warnings.filterwarnings("ignore", category=LinAlgWarning)
    return make_pipeline(
        FunctionTransformer(_as_one_channel),
        MiniRocket(n_jobs=setting.threads, random_state=setting.seed),
        StandardScaler(with_mean=False),
        RidgeClassifier(alpha=10.0),
    )


def minirocket_cv(setting):
    from aeon.classification.convolution_based import MiniRocketClassifier

    class MemoryCheckedMiniRocket(MiniRocketClassifier):
        """MiniRocket that raises MemoryError before the memory is exhausted."""

        def fit(self, X, y):
            n_products = min(len(X), self.n_kernels)
            # features in float32 and twice in float64, then three matrices of their products
            n_values = 2.5 * len(X) * self.n_kernels + 3 * n_products**2
            needed = FLOAT64_BYTES * n_values
            if needed > MEMORY_FRACTION * available_memory():
                raise MemoryError(f"needs about {needed / 2**30:.0f} GiB of memory")
            return super().fit(X, y)

    return MemoryCheckedMiniRocket(n_jobs=setting.threads, random_state=setting.seed)


def _as_one_channel(X):
    return X[:, None, :]


def random_forest(setting):
    from sklearn.ensemble import RandomForestClassifier

    return RandomForestClassifier(n_jobs=setting.threads, random_state=setting.seed)


def gradient_boosting(setting):
    from sklearn.ensemble import HistGradientBoostingClassifier

    return HistGradientBoostingClassifier(random_state=setting.seed)


# --- architectures of public notebooks ----------------------------------------------------------


def project(name, *transformers):
    """Return a function that builds a project after ``transformers``, which take the seed."""

    def build(setting):
        from _project_layouts import train_project
        from _torch_loop import TorchClassifier
        from imblearn.pipeline import make_pipeline

        train = partial(train_project, name, epochs_scale=setting.epochs_scale)
        return make_pipeline(
            *(transformer(setting.seed) for transformer in transformers),
            TorchClassifier(train, setting.seed, setting.device),
        )

    return build


def _by_column(_):
    from sklearn.preprocessing import StandardScaler

    return StandardScaler()


def _by_beat(_):
    from ecgbeat import ZScoreScaler

    return ZScoreScaler()


def _smote(seed):
    from imblearn.over_sampling import SMOTE

    return SMOTE(random_state=seed)


ROWS = {
    "ecgbeat-cnn": Row("ECGCNNClassifier, defaults", "ecgbeat", ecgbeat_cnn),
    "ecgbeat-lstm": Row("ECGCNNLSTMClassifier, defaults", "ecgbeat", ecgbeat_lstm),
    "ecgbeat-best": Row("ECGCNNClassifier, best documented setting", "ecgbeat", ecgbeat_best),
    "ecgbeat-members": Row(f"{N_VOTERS} members in one", "ecgbeat", ecgbeat_members),
    "ecgbeat-vote": Row(f"{N_VOTERS} ECGCNNClassifier, mean probability", "ecgbeat", ecgbeat_vote),
    "torch-loop": Row("network, batches, optimizer, epochs of ecgbeat-cnn", "torch", torch_loop),
    "skorch": Row("network of ecgbeat-cnn in NeuralNetClassifier of skorch", "skorch", skorch),
    "minirocket": Row("MiniRocket, scaler, RidgeClassifier(alpha=10)", "aeon", minirocket),
    "minirocket-cv": Row("aeon's MiniRocketClassifier, defaults", "aeon", minirocket_cv),
    "random-forest": Row("RandomForestClassifier, defaults", "scikit-learn", random_forest),
    "gradient-boosting": Row(
        "HistGradientBoostingClassifier, defaults", "scikit-learn", gradient_boosting
    ),
    "project-1": Row(
        "CNN, class weights, dropout, Adam, checkpoint", "torch", project("project-1", _by_column)
    ),
    "project-2-cnn": Row("CNN, classes sampled equally, Adam", "torch", project("project-2-cnn")),
    "project-2-lstm": Row(
        "CNN+LSTM, classes sampled equally, Adam", "torch", project("project-2-lstm")
    ),
    "project-3": Row(
        "CNN, batch norm, dropout, SMOTE before training, Adam",
        "imbalanced-learn",
        project("project-3", _by_beat, _smote),
    ),
}
DEFAULT_ROWS = [
    name for name in ROWS if name != "minirocket-cv"
]  # requires too much memory on most machines
