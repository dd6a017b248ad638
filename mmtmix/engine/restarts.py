"""Runs whose processes were restarted by their launcher continue from their own checkpoints."""

from __future__ import annotations

import os

from mmengine.config import Config
from mmengine.dist import is_main_process

from mmtmix.utils.holder import Holder

from .claims import on_main_process
from .newest_checkpoint import find_checkpoint

_NO_ID = 'none'  # torchrun's, where none was given and none was drawn


def launch_id(launcher: str) -> str | None:
    """Return a name of this launch that its restarted processes have too, and no other launch.

    The number of restarts that torchrun counts is no such name: another machine that joins or
    leaves restarts all processes too, and each machine counts for itself.

    Args:
        launcher: Name of the launcher, ``'none'``, ``'pytorch'``, ``'slurm'`` or ``'mpi'``.

    Returns:
        The name; None if the launch has none. A process that nobody restarts has none.
    """
    if launcher == 'slurm':
        job, step = (os.environ.get(f'SLURM_{name}_ID') for name in ('JOB', 'STEP'))
        return f'slurm {job}.{step}' if job and step else None
    run = os.environ.get('TORCHELASTIC_RUN_ID')
    if run is None or run != _NO_ID:
        return run and f'torchrun {run}'
    if os.environ.get('GROUP_WORLD_SIZE') != '1':
        return None
    agent = Holder.of(os.getppid())  # the only one, which restarts the processes
    return f'torchrun {agent.host} {agent.pid} {agent.started}'


def resume_restarted(cfg: Config) -> None:
    """Set a config to continue from the newest checkpoint that this launch has written, if any.

    The first attempt of a launch writes over what an earlier launch has left in the work dir, or
    begins with a given checkpoint. A restarted attempt continues from the first one's.

    Args:
        cfg: Complete config with ``work_dir`` and ``launcher``; ``resume`` and ``load_from`` are
            set in place.
    """
    found = on_main_process(lambda: _find(cfg))
    if found is None:
        return
    cfg.resume, cfg.load_from = True, found
    if is_main_process():
        print(f'the processes were restarted: going on from {found}', flush=True)


def _find(cfg: Config) -> str | None:
    launch = launch_id(cfg.launcher)
    if launch is None:
        return None
    path = find_checkpoint(cfg.work_dir, launch).path
    return None if path is None else str(path)
