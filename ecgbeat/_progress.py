"""The progress bar of everything that takes ``verbose``. Layer 0: imports nothing of ecgbeat."""

import warnings

from tqdm import TqdmWarning

with warnings.catch_warnings():
    # in a notebook without ipywidgets tqdm warns, and draws in text as it does in a terminal
    warnings.simplefilter("ignore", TqdmWarning)
    from tqdm.auto import tqdm

__all__ = ["tqdm"]
