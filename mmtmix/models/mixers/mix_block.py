"""AutoMix's mixing module."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from mmpretrain.registry import MODELS
from torch import Tensor, nn

from mmtmix.checks import check_choice, check_flag, check_integer

UPSAMPLING = ('nearest', 'bilinear')


@MODELS.register_module()
class MixBlock(nn.Module):
    """Cross-attention between the feature maps of two images (AutoMix, section 4.1).

    The share of its image is added to each map as one more channel (``lam_concat``). Every
    position of the first image attends to similar positions of the second. It computes from them
    how much of the second image is shown there. One embedding serves as query and key. As in the
    authors' code, attention gives the partner's mask, and the first image has the rest.

    Args:
        in_channels: Number of channels C of the feature maps, >= 1.
        reduction: Divisor of C, >= 1: the embedding has C / reduction channels, at least 1.
        upsampling: Interpolation from the map to the image: ``'nearest'`` (the paper's CIFAR and
            Tiny-ImageNet) or ``'bilinear'``. Scores are upsampled, and the sigmoid comes after.
        norm: Whether a batch norm of its own normalises the maps, as in the authors' code. Maps of
            a pre-activation network are large beside a share, and saturate masks without it.
        lam_concat: Whether the share is a channel, as in the paper's formulas. The authors' public
            configs for CIFAR and Tiny-ImageNet switch it off. Masks then depend on the images
            alone, and shares reach the block by its losses.

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If an argument is out of its range.
    """

    def __init__(
        self,
        in_channels: int,
        reduction: int = 2,
        upsampling: str = 'nearest',
        norm: bool = False,
        lam_concat: bool = True,
    ):
        super().__init__()
        check_integer('in_channels', in_channels, 1)
        check_integer('reduction', reduction, 1)
        check_choice('upsampling', upsampling, UPSAMPLING)
        check_flag('norm', norm)
        check_flag('lam_concat', lam_concat)
        self.in_channels = in_channels
        self.upsampling = upsampling
        self.lam_concat = lam_concat
        self.norm = nn.BatchNorm2d(in_channels) if norm else nn.Identity()
        width = in_channels + 1 if lam_concat else in_channels
        self.embed = nn.Conv2d(width, max(in_channels // reduction, 1), 1)
        self.value = nn.Conv2d(width, 1, 1)
        for layer in (self.embed, self.value):  # small: masks begin at 1/2 everywhere
            nn.init.normal_(layer.weight, std=0.01)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)

    def forward(
        self, features: Tensor, weights: Tensor, index: Tensor, size: tuple[int, int]
    ) -> Tensor:
        """Return the masks of mixes.

        Args:
            features: Feature maps of the batch, (N, C, h, w).
            weights: Shares of the two images of each mix, (M, 2), rows on the simplex.
            index: The two images of each mix, int64 (M, 2).
            size: Height and width of the images in pixels.

        Returns:
            float32 masks (M, 2, 1, H, W), summing to 1 over the two.

        Raises:
            ValueError: If ``features`` are no maps of ``in_channels`` channels.
        """
        check_maps(features, self.in_channels)
        # attention in float32: in half precision its softmax loses the small differences
        with torch.autocast(features.device.type, enabled=False):
            features, weights = self.norm(features.float()), weights.float()
            first, second = (features[index[:, i]] for i in range(2))
            if self.lam_concat:
                first, second = (
                    with_share(maps, weights[:, i]) for i, maps in enumerate((first, second))
                )
            query, key, value = (
                part.flatten(2).transpose(1, 2)
                for part in (self.embed(first), self.embed(second), self.value(second))
            )
            scores = F.scaled_dot_product_attention(query, key, value)
            scores = scores.transpose(1, 2).unflatten(2, features.shape[-2:])
            scores = F.interpolate(scores, size=size, mode=self.upsampling)
            return torch.sigmoid(torch.stack([-scores, scores], dim=1))


def with_share(features: Tensor, shares: Tensor) -> Tensor:
    """Add a channel that holds each image's share: (M, C, h, w) -> (M, C + 1, h, w)."""
    planes = shares[:, None, None, None].expand(-1, 1, *features.shape[-2:])
    return torch.cat([features, planes], dim=1)


def check_maps(features: Tensor, in_channels: int) -> None:
    """Check that a mix block gets the maps that it was made for.

    Args:
        features: Feature maps of a batch.
        in_channels: Number of their channels, >= 1.

    Raises:
        ValueError: If they are no maps (N, in_channels, h, w).
    """
    shape = tuple(getattr(features, 'shape', ()))
    if len(shape) != 4 or shape[1] != in_channels:
        raise ValueError(
            f'the mix block was made for maps (N, {in_channels}, h, w) and got '
            f'{shape or type(features).__name__}; set mix_block=dict(in_channels=...) to the '
            'channels of that layer, or mask_layer to another one'
        )
