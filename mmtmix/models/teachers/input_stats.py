"""Normalisation and channel order of batches."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from weakref import WeakKeyDictionary

from mmengine.config import Config, ConfigDict

from mmtmix.checks import check_keys, check_numbers
from mmtmix.models.running_config import run_in_progress

from .channel_order import ChannelOrder, check_channel_order
from .loaded_order import loaded_order, swaps

COLOUR = 3  # channels of an image whose channels have an order
_KEYS = ('mean', 'std', 'channel_order')
_UNKNOWN_ORDER = ChannelOrder(reason='a data_preprocessor alone does not determine it')
TASK_CURE = "input_stats=dict(mean=[...], std=[...], channel_order='rgb')"


@dataclass(frozen=True)
class InputStats:
    """Mean, standard deviation and channel order of a network's input.

    Attributes:
        mean: Mean, one value per channel or one for all, in 0-255 units; empty where inputs are
            not normalised.
        std: Standard deviation, as ``mean``.
        channel_order: Order of the channels at the network, after its data preprocessor,
            ``'rgb'`` or ``'bgr'``; None where that is unknown. ``mean`` and ``std`` are in this
            order.
        unknown: Order without a name, in place of ``channel_order``.
    """

    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()
    channel_order: str | None = None
    unknown: ChannelOrder = ChannelOrder()

    def __post_init__(self) -> None:
        check_channel_order(self.channel_order)

    def __str__(self) -> str:
        order = f', channels in {self.channel_order} order' if self.channel_order else ''
        return f'mean {list(self.mean)}, std {list(self.std)}{order}'

    @property
    def order(self) -> ChannelOrder:
        """Channel order, which can be compared even if it has no name."""
        return ChannelOrder(self.channel_order) if self.channel_order else self.unknown

    @classmethod
    def from_dict(cls, stats: Mapping | InputStats) -> InputStats:
        """Read the ``input_stats`` of a teacher or of a source of saliency.

        Args:
            stats: Settings ``dict(mean=..., std=..., channel_order=...)``, each optional, in
                0-255 units and in the channel order at the network; or statistics, which are
                returned.

        Raises:
            TypeError: If it is neither, or a key is unknown.
            ValueError: If the channel order is unknown, or ``to_rgb`` is given in its place.
        """
        if isinstance(stats, InputStats):
            return stats
        if not isinstance(stats, Mapping):
            raise TypeError(
                'input_stats must be dict(mean=[...], std=[...], channel_order=...), got '
                f'{stats!r}'
            )
        if swaps(stats) or 'to_rgb' in stats:
            raise ValueError(
                f'input_stats={dict(stats)!r} has to_rgb, which makes a data_preprocessor swap '
                "channels and is no order; give channel_order='rgb' or 'bgr' in its place, the "
                'order after the data_preprocessor'
            )
        check_keys('input_stats', dict(stats), _KEYS)
        check_channel_order(stats.get('channel_order'))
        reason = 'input_stats has no channel_order'
        return cls(
            **_columns_in(stats),
            channel_order=stats.get('channel_order'),
            unknown=ChannelOrder(reason=reason),
        )

    @classmethod
    def from_preprocessor(cls, cfg: Mapping, loaded: ChannelOrder = _UNKNOWN_ORDER) -> InputStats:
        """Read the statistics of the images that leave a data preprocessor.

        Args:
            cfg: Settings of the data preprocessor.
            loaded: Channel order of the images that enter it.
        """
        order = loaded.swapped() if swaps(cfg) else loaded
        return cls(**_columns_in(cfg), channel_order=order.name, unknown=order)

    @classmethod
    def from_config(cls, cfg: Config) -> InputStats | None:
        """Read the statistics of a whole config; None if it has no ``data_preprocessor``.

        Raises:
            ValueError: If a class in it declares an unknown ``channel_order``.
        """
        preprocessor = preprocessor_config(cfg)
        if preprocessor is None:
            return None
        return cls.from_preprocessor(preprocessor, loaded_order(cfg))

    @classmethod
    def of_running_task(cls) -> InputStats | None:
        """Return the statistics of the run in progress, from the config of its Runner.

        Returns:
            The statistics; None where no run is in progress.

        Raises:
            ValueError: If the running config has no ``data_preprocessor``.
        """
        runner = run_in_progress()
        if runner is None:
            return None
        if runner not in _STATS:
            stats = cls.from_config(runner.cfg)
            if stats is None:
                raise ValueError(
                    'the running config has no data_preprocessor; give the normalisation of its '
                    f'images: {TASK_CURE} in the teacher'
                )
            _STATS[runner] = stats
        return _STATS[runner]

    @classmethod
    def of_batch(cls, given: InputStats | None, channels: int) -> InputStats | None:
        """Return the statistics of a batch.

        Args:
            given: Statistics that the user gives. Without a channel order they take that of the
                running task.
            channels: Number of channels of its images. Only three channels have an order.

        Returns:
            The given statistics, or else those of the running task; None where there are neither.

        Raises:
            ValueError: If the running config is needed and has no ``data_preprocessor``.
        """
        if given is None:
            return cls.of_running_task()
        if given.order.name or given.order.loader or channels != COLOUR:
            return given
        task = cls.of_running_task()
        return given if task is None else given.in_order(task.order)

    def in_order(self, order: ChannelOrder | str) -> InputStats:
        """Return the same values with another channel order, without swapping any.

        Args:
            order: The other order.
        """
        order = ChannelOrder(order) if isinstance(order, str) else order
        return replace(self, channel_order=order.name, unknown=order)


# every call of a teacher reads them
_STATS: WeakKeyDictionary[Any, InputStats] = WeakKeyDictionary()


def preprocessor_config(cfg: Config) -> ConfigDict | None:
    """Return the settings of a config's data preprocessor, as MMEngine reads them; None without.

    Args:
        cfg: Full config.
    """
    own = (cfg.get('model') or {}).get('data_preprocessor')
    return own or cfg.get('data_preprocessor')


def _columns_in(settings: Mapping) -> dict[str, tuple[float, ...]]:
    found = {name: settings.get(name) or () for name in ('mean', 'std')}
    for name, above in dict(mean=None, std=0).items():
        if found[name] != ():
            check_numbers(name, found[name], above=above, cure='one per channel, in 0-255 units')
    return {name: tuple(map(float, values)) for name, values in found.items()}
