"""Progress bar of all functions and estimators with ``verbose``."""

import warnings

from tqdm import TqdmWarning

with warnings.catch_warnings():
    # in a notebook without ipywidgets, tqdm warns and draws text as in a terminal
    warnings.simplefilter("ignore", TqdmWarning)
    from tqdm.auto import tqdm

__all__ = ["tqdm"]
