"""Fit of the noise score of detect_r_peaks, which separates beats from noise with eight weights.

python examples/benchmarks/fit_qrs_score.py --data mitdb

The training data are the candidates of every second record of MIT-BIH, lead 1, with and without
simulated noise. Candidates that match a beat are the positive class. The other half of the records
is used only in the last table, which evaluates the weights in the package.
"""

import argparse

import numpy as np
import pandas as pd
from _r_peak_scoring import add_noise_to_all, load_records, score
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from ecgbeat.datasets import get_data_home
from ecgbeat.metrics import match_beats
from ecgbeat.signal import _qrs, detect_r_peaks

LEVELS_DB = (18, 12, 6, 0)
FITTED = [None, *((kind, snr) for kind in ("motion", "muscle") for snr in LEVELS_DB)]
# not fitted: electrode artifacts are so similar to beats that clean beats would be missed
SHOWN = [*FITTED, *(("electrode", snr) for snr in LEVELS_DB)]
CLEAN_WEIGHT = 6.0  # most recordings are clean most of the time


def add_condition(condition, records):
    """Return the records, with noise added if ``condition`` is not None."""
    return records if condition is None else add_noise_to_all(records, *condition)


def describe_candidates(record):
    """Return the quantities of all candidates, a mask of those that are beats, and the misses."""
    step = _qrs.decimation_step(record.fs)
    bands = _qrs.split_bands(_qrs.decimate(record.x[None], step), record.fs / step)
    candidates = _qrs.find_candidates(bands)
    peaks = _qrs.qrs_peaks(candidates, bands)
    samples = peaks * step + step // 2
    is_beat = np.zeros(len(peaks), dtype=bool)
    is_beat[match_beats(record.reference, samples, record.fs).detected_index] = True
    # exclude ventricular flutter, which has no annotated beats
    known = np.ones(len(peaks), dtype=bool)
    for start, stop in record.flutter:
        known &= (samples < start) | (samples > stop)
    quantities = _qrs.qrs_quantities(candidates, bands, peaks)
    n_missed = len(record.reference) - int(is_beat.sum())
    return quantities[known], is_beat[known], n_missed


def collect(records):
    """Return a table with one row per candidate and condition, and the numbers of misses."""
    rows, n_missed = [], {}
    for condition in FITTED:
        for record in add_condition(condition, records):
            quantities, is_beat, missed = describe_candidates(record)
            frame = pd.DataFrame(quantities, columns=list(_qrs.QUANTITIES))
            name = "clean" if condition is None else " ".join(map(str, condition))
            rows.append(frame.assign(is_beat=is_beat, record=record.name, condition=name))
            n_missed[name] = n_missed.get(name, 0) + missed
    return pd.concat(rows, ignore_index=True), n_missed


def print_cross_validation(model, table, n_missed, weight):
    """Print the cross-validated F1 of each condition."""
    columns = list(_qrs.QUANTITIES)
    decision = cross_val_predict(
        model,
        table[columns],
        table.is_beat,
        groups=table.record,
        cv=GroupKFold(4),
        method="decision_function",
        params={"logisticregression__sample_weight": weight},
    )
    table = table.assign(accepted=decision > 0)
    print(
        "\nF1 on the training half, 4-fold cross-validation by record: fit, all candidates accepted"
    )
    for condition, rows in table.groupby("condition", sort=False):
        n_beats = rows.is_beat.sum() + n_missed[condition]
        hits = (rows.accepted & rows.is_beat).sum()
        fitted = 2 * hits / (rows.accepted.sum() + n_beats)
        all_accepted = 2 * rows.is_beat.sum() / (len(rows) + n_beats)
        print(f"{condition:>14}  {fitted:.4f}  {all_accepted:.4f}")


def main():
    """Fit the weights and print them with their scores."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default=get_data_home() / "mitdb")
    records = load_records(parser.parse_args().data)
    table, n_missed = collect(records[::2])
    columns = list(_qrs.QUANTITIES)
    weight = np.where(table.condition == "clean", CLEAN_WEIGHT, 1.0)
    model = make_pipeline(StandardScaler(), LogisticRegression())
    print_cross_validation(model, table, n_missed, weight)

    model.fit(table[columns], table.is_beat, logisticregression__sample_weight=weight)
    scaler, logistic = model[0], model[1]
    weights = logistic.coef_[0] / scaler.scale_
    intercept = logistic.intercept_[0] - weights @ scaler.mean_
    print("\nfitted weights, weights in the package")
    for name, new, held in zip(columns, weights, _qrs.WEIGHTS, strict=True):
        print(f"{name:>18}  {new:6.2f}  {held:6.2f}")
    print(f"{'intercept':>18}  {intercept:6.2f}  {_qrs.INTERCEPT:6.2f}")

    print("\nF1 of the package on the held-out half")
    for condition in SHOWN:
        name = "clean" if condition is None else " ".join(map(str, condition))
        f1 = score(add_condition(condition, records[1::2]), detect_r_peaks)["f1"]
        print(f"{name:>14}  {f1:.4f}")


if __name__ == "__main__":
    main()
