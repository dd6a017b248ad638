"""The place of a process among those of one launch, where they need no process group."""

from __future__ import annotations

import os
from typing import NamedTuple

import torch

_LOCAL = {
    'pytorch': ('LOCAL_RANK', 'RANK'),
    'slurm': ('SLURM_LOCALID', 'SLURM_PROCID'),
    'mpi': ('OMPI_COMM_WORLD_LOCAL_RANK', 'OMPI_COMM_WORLD_RANK'),
}
_STARTERS = {'pytorch': 'torchrun', 'slurm': 'srun', 'mpi': 'mpirun of Open MPI'}


class Place(NamedTuple):
    """Place of a process in its launch.

    Attributes:
        local_rank: Number of the process on its machine, >= 0.
        rank: Number of the process in the launch, >= 0.
    """

    local_rank: int
    rank: int


def find_place(launcher: str) -> Place:
    """Return the place of this process, from the variables that its launcher sets.

    Args:
        launcher: Name of the launcher, ``'pytorch'``, ``'slurm'`` or ``'mpi'``. With ``'none'``
            the first one that has set its variables counts. ``LOCAL_RANK`` alone may be left over
            from another program, so torchrun's own variable has to be there too.

    Returns:
        The place; without a launcher the first one.

    Raises:
        ValueError: If the launcher's variables are missing or are no numbers.
    """
    if launcher == 'none':
        is_set = {
            'pytorch': 'TORCHELASTIC_RUN_ID' in os.environ,
            'slurm': {*_LOCAL['slurm']} <= os.environ.keys(),
            'mpi': {*_LOCAL['mpi']} <= os.environ.keys(),
        }
        launcher = next((name for name, found in is_set.items() if found), 'none')
        if launcher == 'none':
            return Place(0, 0)
    values = [os.environ.get(name, '') for name in _LOCAL[launcher]]
    for name, value in zip(_LOCAL[launcher], values, strict=True):
        if not value.isdecimal():
            raise ValueError(
                f'--launcher {launcher}: {name} must be a number >= 0, got {value!r}; start the '
                f'processes by {_STARTERS[launcher]}, or leave out --launcher'
            )
    return Place(*map(int, values))


def own_device(device: str | None, local_rank: int) -> tuple[str | None, str]:
    """Return the device of one of several processes on a machine, and a note about it.

    Args:
        device: Device that the user gave; None for the accelerator, if there is one.
        local_rank: Number of the process on its machine, >= 0.

    Returns:
        The device, such as ``'cuda:1'``, or what was given where there is nothing to choose. The
        note is empty unless the user should know more.
    """
    count = torch.cuda.device_count()
    if device not in (None, 'cuda') or count == 0:
        return device, ''
    note = ''
    if local_rank >= count:
        note = (
            f'process {local_rank} of this machine shares GPU {local_rank % count}, since '
            f'{count} are visible; start as many processes as GPUs'
        )
    elif count > 1 and local_rank == 0:
        note = f'{count} GPUs are visible, and this process takes the first one'
    return f'cuda:{local_rank % count}', note
