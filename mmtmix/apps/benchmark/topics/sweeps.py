"""Cost against the batch, k, the image size and the teacher."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

from mmtmix.apps.benchmark.bench import Bench
from mmtmix.apps.benchmark.report import FORWARD
from mmtmix.apps.benchmark.setting import Setting

from .calls import Calls
from .learned import TRANSFORMMIX, transformmix
from .supermix import SUPERMIX

SWEPT = ('CutMix', TRANSFORMMIX, SUPERMIX)


class Sweep(NamedTuple):
    """Values of one field.

    Attributes:
        values: Values, in the order of the plot.
        setting: Batch and teacher besides that field.
        takes_config: Whether the trained classifier of ``--config`` is the teacher.
    """

    values: tuple[Any, ...]
    setting: Setting
    takes_config: bool = False

    def at(self, axis: str, value: Any) -> Setting:
        """Return the setting at a value; k is no part of it.

        Args:
            axis: Field of a setting, or ``'k'``.
            value: Value of the field.
        """
        return self.setting if axis == 'k' else replace(self.setting, **{axis: value})


SWEEPS: dict[str, Sweep] = {
    'batch_size': Sweep((16, 32, 64, 128), Setting(), True),
    'k': Sweep((2, 3, 4), Setting(batch_size=64), True),
    'image_size': Sweep((32, 48, 64, 96), Setting(batch_size=32)),
    'teacher': Sweep(('wrn16_1', 'wrn40_2', 'resnet18_cifar'), Setting(batch_size=32)),
}
"""Sweeps by the field that changes."""


def sweep_calls(bench: Bench, num_mix: int = 2) -> Calls:
    """Return one mixer of each kind beside the teacher's forward pass.

    Args:
        bench: Batch and teacher; SuperMix needs a trained one.
        num_mix: Number of images per mix, k >= 2.
    """
    cutmix = bench.mixer(type='SampleCutMix', num_mix=num_mix)
    calls = Calls({FORWARD: bench.forward(), 'CutMix': cutmix})
    calls.timed[TRANSFORMMIX] = transformmix(bench, num_mix=num_mix)
    if bench.trained is not None:
        options = dict(type='SuperMix', teacher=bench.teacher, num_mix=num_mix)
        calls.timed[SUPERMIX] = bench.mixer(True, **options)
    return calls
