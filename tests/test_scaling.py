"""Tests of parallel computing with several processes and with Dask."""

import os
import subprocess
import sys

import joblib
import numpy as np
import pytest
from sklearn.model_selection import GridSearchCV, StratifiedGroupKFold
from sklearn.pipeline import make_pipeline

from ecgbeat import BeatAnnotator, ECGCNNClassifier, RPeakSegmenter, ZScoreScaler
from ecgbeat.datasets import make_heartbeats, make_recording

pytestmark = pytest.mark.slow  # each process imports torch

# print the number of torch threads in workers with n_jobs=2
THREADS = """
import joblib
import torch

threads = joblib.Parallel(n_jobs=2)(joblib.delayed(torch.get_num_threads)() for _ in range(4))
print(*threads)
"""


@pytest.fixture(scope="module")
def beats():
    return make_heartbeats(120, n_patients=8, classes=("N", "V"), random_state=0)


def search(n_jobs):
    model = make_pipeline(
        RPeakSegmenter(fs=360, n_times=64),
        ZScoreScaler(),
        ECGCNNClassifier(n_filters=2, max_epochs=2, random_state=0),
    )
    grid = {"ecgcnnclassifier__dropout": [0.0, 0.3]}
    return GridSearchCV(model, grid, cv=StratifiedGroupKFold(2), n_jobs=n_jobs, refit=False)


def scores(fitted):
    return fitted.cv_results_["mean_test_score"]


def test_search_on_dask_cluster_matches_one_process(beats):
    distributed = pytest.importorskip("distributed")
    one = search(None).fit(beats.data, beats.target, groups=beats.groups)
    many = search(-1)
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=":0"
        ) as cluster,
        distributed.Client(cluster) as client,
        joblib.parallel_config("dask"),
    ):
        many.fit(beats.data, beats.target, groups=beats.groups)
        processes = client.run(os.getpid).values()
        trained = client.run(lambda: "skorch" in sys.modules).values()
    assert os.getpid() not in processes
    assert any(trained)  # trained on the cluster, not in this process
    np.testing.assert_array_equal(scores(many), scores(one))


def test_annotation_with_several_processes_matches_one_process():
    patients = [make_recording(20, random_state=seed) for seed in range(4)]
    recordings = [patient.signal for patient in patients]
    annotator = BeatAnnotator(
        make_pipeline(ZScoreScaler(), ECGCNNClassifier(n_filters=2, max_epochs=2, random_state=0))
    )
    annotator.fit(recordings[:2], [patient.annotation for patient in patients[:2]])
    serial = annotator.predict(recordings)
    parts = joblib.Parallel(n_jobs=2)(
        joblib.delayed(annotator.predict)(recordings[k : k + 2]) for k in (0, 2)
    )
    for found, expected in zip([*parts[0], *parts[1]], serial, strict=True):
        np.testing.assert_array_equal(found.sample, expected.sample)
        np.testing.assert_array_equal(found.symbol, expected.symbol)
        np.testing.assert_allclose(found.probability, expected.probability, atol=1e-6)


def test_number_of_threads_in_workers():
    # environment without thread limits, as is usual
    environment = {name: value for name, value in os.environ.items() if "NUM_THREADS" not in name}
    done = subprocess.run(
        [sys.executable, "-c", THREADS], env=environment, capture_output=True, text=True, check=True
    )
    threads = {int(word) for word in done.stdout.split()}
    assert len(threads) == 1
    assert threads.pop() <= max(1, joblib.cpu_count() // 2)
