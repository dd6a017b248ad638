"""The versions and the device that a run is made with, for its record."""

from __future__ import annotations

import subprocess
from pathlib import Path

import mmcv
import mmengine
import mmpretrain
import torch
import torchvision

import mmtmix

_PACKAGES = (torch, torchvision, mmengine, mmcv, mmpretrain)


def used_versions() -> dict[str, str]:
    """Return the versions of the packages that compute, and of this library, by name.

    A checkout has the commit in its version, and ``.dirty`` if files differ from it. On a GPU
    NVIDIA's driver is among them.
    """
    versions = {package.__name__: str(package.__version__) for package in _PACKAGES}
    if torch.cuda.is_available():
        versions['driver'] = _version_of_driver()
    return versions | {'mmtmix': _version_of_code()}


def used_device(processes: int = 1) -> str:
    """Return the name of the device, such as ``'cpu'`` or ``'2 x NVIDIA H100'``.

    Args:
        processes: Number of processes, each with a device of its own, >= 1.
    """
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else 'cpu'
    return f'{processes} x {device}' if processes > 1 else device


def _version_of_driver() -> str:
    """Return the version of NVIDIA's driver, ``'unknown'`` where nvidia-smi fails."""
    command = ['nvidia-smi', '--query-gpu=driver_version', '--format=csv,noheader']
    try:
        found = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30)
    except (OSError, subprocess.SubprocessError):
        return 'unknown'
    return found.stdout.partition('\n')[0].strip() or 'unknown'


def _version_of_code() -> str:
    """Return this library's version; in a checkout with its commit, and `.dirty` if changed."""
    root = Path(mmtmix.__file__).parents[1]
    if not (root / '.git').exists():  # another project's checkout may contain it
        return mmtmix.__version__
    command = ['git', '-C', str(root), 'describe', '--always', '--exclude=*', '--dirty=.dirty']
    try:
        found = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30)
    except (OSError, subprocess.SubprocessError):  # no git, no commit, or a disk that hangs
        return mmtmix.__version__
    return f'{mmtmix.__version__}+g{found.stdout.strip()}'
