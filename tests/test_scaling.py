"""Several processes and a Dask cluster give what one process gives, and share the cores."""

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

pytestmark = pytest.mark.slow  # processes import torch, again and again

# what a worker of n_jobs=2 is given, told by torch itself
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


def test_a_dask_cluster_searches_as_one_process_does(beats):
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
    assert any(trained)  # not here, while the cluster looked on
    np.testing.assert_array_equal(scores(many), scores(one))


def test_recordings_are_annotated_alike_by_several_processes():
    patients = [make_recording(20, random_state=seed) for seed in range(4)]
    recordings = [patient.signal for patient in patients]
    annotator = BeatAnnotator(
        make_pipeline(ZScoreScaler(), ECGCNNClassifier(n_filters=2, max_epochs=2, random_state=0))
    )
    annotator.fit(recordings[:2], [patient.annotation for patient in patients[:2]])
    alone = annotator.predict(recordings)
    parts = joblib.Parallel(n_jobs=2)(
        joblib.delayed(annotator.predict)(recordings[k : k + 2]) for k in (0, 2)
    )
    for found, expected in zip([*parts[0], *parts[1]], alone, strict=True):
        np.testing.assert_array_equal(found.sample, expected.sample)
        np.testing.assert_array_equal(found.symbol, expected.symbol)
        np.testing.assert_allclose(found.probability, expected.probability, atol=1e-6)


def test_processes_share_the_cores():
    # in an environment that says nothing of threads, as most users' do
    silent = {name: value for name, value in os.environ.items() if "NUM_THREADS" not in name}
    done = subprocess.run(
        [sys.executable, "-c", THREADS], env=silent, capture_output=True, text=True, check=True
    )
    threads = {int(word) for word in done.stdout.split()}
    assert len(threads) == 1
    assert threads.pop() <= max(1, joblib.cpu_count() // 2)
