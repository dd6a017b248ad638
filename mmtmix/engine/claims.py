"""Folders in which one launch at a time works, whatever the number of its processes."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, TypeVar

import torch.distributed as torch_dist
from mmengine.dist import get_world_size, is_main_process

from mmtmix.utils.claim_waits import wait_for_folder
from mmtmix.utils.claims import Claim, claim_folder

Result = TypeVar('Result')

_PATIENCE = timedelta(days=365)
_groups: list[tuple[Any, Any]] = []  # the process group of a launch, and one with a long timeout


@contextmanager
def claimed(
    folder: str | os.PathLike,
    is_done: Callable[[], bool] | None = None,
    report: Callable[[str], object] = print,
) -> Iterator[bool]:
    """Claim a folder for this launch while the body runs.

    Rank 0 claims it, and the other ranks wait for rank 0, for as long as that takes. All ranks
    have to call this.

    Args:
        folder: The folder; it is made if need be.
        is_done: Function that returns whether the work is done. With it the launch waits for
            another one that works there. Without it, another one is an error.
        report: Function that takes a line about the other process, on rank 0.

    Yields:
        Whether the work is left to do: False if another launch has done it.

    Raises:
        ClaimedError: If another launch works there and ``is_done`` is None.
        OSError: If the folder can't be written to.
        ValueError: If this launch has claimed it already.
    """
    held: list[Claim] = []

    def claim() -> bool:
        if is_done is None:
            held.append(claim_folder(folder, report))
        elif found := wait_for_folder(folder, is_done, report):
            held.append(found)
        return bool(held)

    try:
        yield on_main_process(claim)
    finally:
        for each in held:
            each.release()


def on_main_process(call: Callable[[], Result]) -> Result:
    """Call a function on rank 0 and return its result, or raise its error, on all ranks.

    The other ranks wait for as long as it takes. A collective of the launch's own group would
    fail after half an hour.

    Args:
        call: Function whose result and errors can be pickled.
    """
    if get_world_size() == 1:
        return call()
    outcome: list[Any] = [None, None]
    if is_main_process():
        try:
            outcome[0] = call()
        except Exception as error:  # whatever it is, the other ranks must not wait for ever
            outcome[1] = error
    torch_dist.broadcast_object_list(outcome, src=0, group=_patient_group())
    if outcome[1] is not None:
        raise outcome[1]
    return outcome[0]


def wait_for_ranks() -> None:
    """Wait for all ranks of the launch, for as long as it takes."""
    if get_world_size() > 1:
        torch_dist.barrier(group=_patient_group())


def _patient_group() -> Any:
    """Return the group of all ranks whose collectives don't time out."""
    world = torch_dist.group.WORLD
    if not _groups or _groups[-1][0] is not world:  # made once per launch, by all ranks
        _groups[:] = [(world, torch_dist.new_group(backend='gloo', timeout=_PATIENCE))]
    return _groups[-1][1]
