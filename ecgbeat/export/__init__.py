"""Export of fitted classifiers and pipelines to files that run without Python."""

from ecgbeat.export._c import to_c
from ecgbeat.export._onnx import to_onnx

__all__ = ["to_c", "to_onnx"]
