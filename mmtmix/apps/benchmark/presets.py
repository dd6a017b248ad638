"""Named settings of published tables."""

from __future__ import annotations

from typing import Any, NamedTuple


class Preset(NamedTuple):
    """Setting of a published table.

    Attributes:
        topics: Topics that measure it.
        setting: Fields of :class:`~mmtmix.apps.benchmark.setting.Setting`.
    """

    topics: tuple[str, ...]
    setting: dict[str, Any]


PRESETS = {
    'table5': Preset(
        ('learned', 'supermix', 'puzzle'),
        dict(teacher='wrn28_10', image_size=32, num_classes=100, batch_size=128),
    )
}
"""``table5``: TransformMix, Table 5, the mixing of 128 images of CIFAR-100 with a WRN-28-10."""
