"""Processes of a distributed run, forked from the test."""

import multiprocessing
import os
import traceback

import torch


def run_ranks(work, count=2, seconds=60):
    """Call ``work(rank)`` in ``count`` forked processes, and wait for all of them.

    Raises:
        AssertionError: If one ends with an error, or not in time.
    """
    fork = multiprocessing.get_context('fork')
    ranks = [fork.Process(target=_run, args=(work, rank), daemon=True) for rank in range(count)]
    for process in ranks:
        process.start()
    for process in ranks:
        process.join(seconds)
        if process.is_alive():
            process.kill()
    assert [process.exitcode for process in ranks] == [0] * count


def _run(work, rank):
    # after a fork the first call makes torch's thread pool anew, and aborts if two threads call
    torch.set_num_threads(torch.get_num_threads())
    try:
        work(rank)
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)  # without what pytest would do at its end
