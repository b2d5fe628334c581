"""Tests of annotation in several processes and on a Dask cluster, of which workers are lost."""

import os
import platform
import signal
import subprocess
import sys

import pytest
from joblib.externals.loky import reusable_executor

from ecgbeat.command._one_recording import Outcome, Task, annotate_one
from ecgbeat.command._workers import outcomes

N_RECORDINGS = 10


@pytest.fixture
def tasks(model, tmp_path):
    """Simulated recordings of 10 min, each with an own folder."""
    return [
        Task(f"simulated:{seed}", tmp_path / str(seed), "a", str(model), "json", None, "mV", None)
        for seed in range(N_RECORDINGS)
    ]


def check(found: list[Outcome], tasks: list[Task]):
    """All recordings are annotated, as in one process."""
    assert [outcome.error for outcome in found] == [None] * len(tasks)
    assert {outcome.task for outcome in found} == set(tasks)
    assert all(task.beats.is_file() for task in tasks)
    alone = tasks[-1]._replace(folder=tasks[-1].folder / "alone")
    annotate_one(alone)
    assert alone.beats.read_bytes() == tasks[-1].beats.read_bytes()


def test_outcomes_of_one_process_come_in_order(model, tmp_path):
    damaged = Task(str(tmp_path / "x.edf"), tmp_path, "x", str(model), "csv", None, "mV", None)
    (outcome,) = outcomes([damaged], 4, None)
    assert outcome.error.startswith("There is no file")


@pytest.mark.slow  # processes import scikit-learn
def test_process_that_is_killed_costs_a_retry(tasks):
    found = []
    for outcome in outcomes(tasks, 2, None):
        found.append(outcome)
        if len(found) == 2:
            victim = next(iter(reusable_executor._executor._processes))
            os.kill(victim, signal.SIGKILL)
    check(found, tasks)


@pytest.mark.slow
def test_recording_that_kills_its_process_is_an_error(tasks):
    scope = {}  # a function without a module is pickled by value
    exec("def die(task):\n    import os\n    os.kill(os.getpid(), 9)", scope)
    found = list(outcomes(tasks[:2], 2, None, function=scope["die"]))
    assert len(found) == 2
    assert all("was killed 3 times" in outcome.error for outcome in found)


COUNT_FAULTS = """
import resource
import numpy as np
from ecgbeat.command._workers import _keep_freed_memory

def count():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(20):
        np.ones(2**20)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

before = count()
_keep_freed_memory()
np.ones(2**20)
print(before, count())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="a setting of glibc")
def test_workers_of_a_cluster_keep_freed_memory():
    # 64 KiB is Dask's setting for its workers
    environment = os.environ | {"MALLOC_TRIM_THRESHOLD_": "65536"}
    command = [sys.executable, "-c", COUNT_FAULTS]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    before, after = map(int, run.stdout.split())
    assert after < before / 10


@pytest.fixture
def cluster():
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=":0"
    ) as cluster:
        yield cluster


@pytest.mark.slow
def test_worker_of_a_cluster_that_is_killed_costs_a_retry(tasks, cluster):
    import distributed

    found = []
    with distributed.Client(cluster, set_as_default=False) as client:
        for outcome in outcomes(tasks, 1, cluster.scheduler_address):
            found.append(outcome)
            if len(found) == 2:
                victim = next(iter(client.run(os.getpid).values()))
                os.kill(victim, signal.SIGKILL)
    check(found, tasks)


@pytest.mark.slow
def test_command_runs_on_a_cluster(annotate, cluster, tmp_path):
    code, _, error = annotate("simulated:1", "simulated:2", "--dask", cluster.scheduler_address)
    assert (code, error) == (0, "")
    assert len(list((tmp_path / "annotated").glob("*.csv"))) == 2


@pytest.mark.slow
def test_command_without_a_scheduler_ends_with_an_error(annotate):
    code, _, error = annotate("simulated", "--dask", "tcp://127.0.0.1:1")
    assert code == 1
    assert "Traceback" not in error
