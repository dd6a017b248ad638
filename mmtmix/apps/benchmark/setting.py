"""What is measured: the batch, the teacher, and the machine."""

from __future__ import annotations

import platform
from dataclasses import asdict, dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch
from mmengine.utils import digit_version

import mmtmix
from mmtmix.utils import allocator_note, is_faster_in_half

_PACKAGES = ('timm', 'torchvision', 'kornia', 'mmpretrain', 'onedl-mmpretrain')
_LARGEST_CAM = 64  # of the ImageNet configs, which resize masks to 224 pixels


@dataclass(frozen=True)
class Setting:
    """Batch and teacher of a table.

    Attributes:
        teacher: Name of the network, one of :data:`NETWORKS`; or the path of the config of a
            trained classifier that is none of them.
        image_size: Side of the images in pixels.
        num_classes: Number of classes.
        batch_size: Number of images.
        trained: Whether the teacher is trained and the images are real.
    """

    teacher: str = 'wrn16_1'
    image_size: int = 32
    num_classes: int = 100
    batch_size: int = 128
    trained: bool = False

    @property
    def cam_size(self) -> int:
        """Side of TransformMix's CAMs in pixels, as the configs of this library choose it."""
        return min(self.image_size, _LARGEST_CAM)

    def changed(self, **given: Any) -> Setting:
        """Return this setting with the values that are given; None keeps the own one.

        Args:
            given: Values of fields.
        """
        return replace(self, **{name: each for name, each in given.items() if each is not None})

    def to_dict(self) -> dict[str, Any]:
        """Return the fields by name."""
        return asdict(self)


def describe_machine(device: str, dtype: str, seed: int) -> dict[str, Any]:
    """Return what the times depend on besides the setting.

    Args:
        device: Device that computes, such as ``'cpu'`` or ``'cuda:0'``.
        dtype: Dtype of the forward passes.
        seed: Seed of images, weights and pairs.
    """
    is_cuda = torch.device(device).type == 'cuda'
    versions = {name: found for name in _PACKAGES if (found := _version(name))}
    return dict(
        device=torch.cuda.get_device_name(device) if is_cuda else device,
        cpu=cpu_model(),
        native_bfloat16=is_faster_in_half('cpu'),
        threads=torch.get_num_threads(),
        allocator='keeps freed memory' if allocator_note() else 'unchanged',
        clock='CUDA events' if is_cuda else 'CPU time' if device == 'cpu' else 'wall time',
        dtype=dtype,
        tf32=is_cuda and torch.backends.cuda.matmul.allow_tf32,
        seed=seed,
        mmtmix=mmtmix.__version__,
        torch='.'.join(map(str, digit_version(torch.__version__)[:3])),
        **versions,
    )


def cpu_model() -> str:
    """Return the name of this machine's CPU."""
    path = Path('/proc/cpuinfo')
    lines = path.read_text(encoding='utf-8').splitlines() if path.exists() else []
    names = [line.partition(':')[2].strip() for line in lines if line.startswith('model name')]
    return names[0] if names else platform.processor() or platform.machine()


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
