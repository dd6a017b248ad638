"""The order of colour channels, which may be unknown."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from mmtmix.checks import check_choice

CHANNEL_ORDERS = ('rgb', 'bgr')


@dataclass(frozen=True)
class ChannelOrder:
    """Order of the three channels of colour images.

    Two orders without a name can still be compared: images that the same classes load have the
    same order.

    Attributes:
        name: Name of the order, ``'rgb'`` or ``'bgr'``; None where it is unknown.
        loader: Classes that load the images, where there is no name; empty if unknown.
        is_swapped: Whether the channels are swapped after loading, where there is no name.
        reason: Reason why there is no name, for errors.
    """

    name: str | None = None
    loader: str = ''
    is_swapped: bool = False
    reason: str = field(default='nothing determines it', compare=False, repr=False)

    def swapped(self) -> ChannelOrder:
        """Return the order after red and blue have changed places."""
        if self.name is None:
            return replace(self, is_swapped=not self.is_swapped)
        return ChannelOrder('bgr' if self.name == 'rgb' else 'rgb')

    def differs(self, other: ChannelOrder) -> bool | None:
        """Return whether two orders differ; None where that is unknown."""
        if self.name and other.name:
            return self.name != other.name
        if self.name or other.name or not self.loader or self.loader != other.loader:
            return None
        return self.is_swapped != other.is_swapped


def common_order(orders: Iterable[ChannelOrder]) -> ChannelOrder:
    """Return the order that all of them have; one without a name where they differ.

    Args:
        orders: Orders, at least one.
    """
    first, *others = orders
    if all(other == first for other in others):
        return first
    names = sorted({order.name or 'unknown' for order in (first, *others)})
    return ChannelOrder(reason=f'its images come in several orders ({", ".join(names)})')


def check_channel_order(channel_order: str | None) -> None:
    """Refuse a value that names no order of channels.

    Args:
        channel_order: Order, ``'rgb'`` or ``'bgr'``; None takes that of the config.

    Raises:
        ValueError: If it is anything else.
    """
    cure = 'it is the order of the channels at the network, after its data_preprocessor'
    check_choice('channel_order', channel_order, (None, *CHANNEL_ORDERS), cure=cure)
