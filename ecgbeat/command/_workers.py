"""Annotation of many recordings: in this process, in several, or on a Dask cluster.

Workers receive paths, load the model once and write files. A worker that is lost costs the
recordings that it had, which are annotated again by others.
"""

import ctypes
import sys
from collections.abc import Callable, Iterator

import joblib

from ecgbeat.command._messages import as_sentence
from ecgbeat.command._one_recording import Outcome, Task, annotate_one

_ATTEMPTS = 3
# of glibc, whose largest value for the second is 32 MiB
_TRIM_THRESHOLD, _MMAP_THRESHOLD = (-1, 2**26), (-3, 2**25)


def outcomes(
    tasks: list[Task],
    n_jobs: int,
    dask: str | None,
    function: Callable[[Task], Outcome] = annotate_one,
) -> Iterator[Outcome]:
    """Yield the outcome of each task, in the order in which they finish."""
    if dask is not None:
        return _on_cluster(tasks, dask, function)
    if n_jobs > 1 and len(tasks) > 1:
        return _in_processes(tasks, n_jobs, function)
    return map(function, tasks)


def _in_processes(
    tasks: list[Task], n_jobs: int, function: Callable[[Task], Outcome]
) -> Iterator[Outcome]:
    """Annotate in processes of one thread each; start them again if one is killed."""
    remaining = dict.fromkeys(tasks)
    for _ in range(_ATTEMPTS):
        # one thread each: two processes of two threads would disturb each other
        with joblib.parallel_config("loky", n_jobs=n_jobs, inner_max_num_threads=1):
            parallel = joblib.Parallel(return_as="generator_unordered", batch_size=1)
            try:
                for outcome in parallel(joblib.delayed(function)(task) for task in list(remaining)):
                    del remaining[outcome.task]
                    yield outcome
                return
            except joblib.externals.loky.process_executor.BrokenProcessPool:
                continue  # for lack of memory, as a rule
    error = f"The process that annotated it was killed {_ATTEMPTS} times, as for lack of memory."
    yield from (Outcome(task, {}, "", error) for task in remaining)


def _on_cluster(
    tasks: list[Task], address: str, function: Callable[[Task], Outcome]
) -> Iterator[Outcome]:
    """Annotate on a Dask cluster, which gives the tasks of lost workers to others."""
    try:
        import distributed
    except ImportError as error:
        raise ImportError("A Dask cluster needs distributed: pip install distributed.") from error
    with distributed.Client(address, set_as_default=False) as client:
        futures = {client.submit(_on_worker, function, task, pure=False): task for task in tasks}
        for future in distributed.as_completed(futures, loop=client.loop):
            failure = future.exception()
            if failure is None:
                yield future.result()
            else:
                yield Outcome(futures[future], {}, "", as_sentence(failure))
            future.release()


def _on_worker(function: Callable[[Task], Outcome], task: Task) -> Outcome:
    """Call a function on a Dask worker."""
    _keep_freed_memory()
    return function(task)


def _keep_freed_memory() -> None:
    """Let the C library reuse up to 64 MB of freed memory in this process.

    Dask sets MALLOC_TRIM_THRESHOLD_ for its workers, so that they return it at once. The pages of
    every array are then new, which takes half of the time of an annotation (measured). With the
    variable set, glibc learns no limits by itself, on which the classifiers rely for the same.
    """
    if sys.platform != "linux":
        return
    set_option = getattr(ctypes.CDLL(None), "mallopt", None)  # absent from other C libraries
    if set_option is not None:
        for option in (_TRIM_THRESHOLD, _MMAP_THRESHOLD):
            set_option(*option)
