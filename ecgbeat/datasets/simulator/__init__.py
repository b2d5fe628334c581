"""Simulators of labeled ECGs and heart sounds.

`ecg` and `sounds` hold the two simulators; `shares`, `rhythm` and `waveforms` are common to both.
"""
