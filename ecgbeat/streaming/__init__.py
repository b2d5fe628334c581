"""Detection and classification of the beats of signals that are still arriving."""

from ecgbeat.streaming._lsl import LSLInlet, LSLOutlet
from ecgbeat.streaming._replay import replay
from ecgbeat.streaming._stream import BeatStream, push_streams

__all__ = ["BeatStream", "LSLInlet", "LSLOutlet", "push_streams", "replay"]
