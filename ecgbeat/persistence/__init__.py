"""Fitted models as files that run no code when they are loaded."""

from ecgbeat.persistence._model_file import load_model, model_info, save_model

__all__ = ["load_model", "model_info", "save_model"]
