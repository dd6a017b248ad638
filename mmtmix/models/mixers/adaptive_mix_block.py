"""AdAutoMix's mixing module."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from mmpretrain.registry import MODELS
from torch import Tensor, nn

from mmtmix.checks import check_choice, check_flag, check_integer

from .mix_block import UPSAMPLING, check_maps, with_share


@MODELS.register_module()
class AdaptiveMixBlock(nn.Module):
    """Cross-attention between the feature maps of k images (AdAutoMix, section 3.2).

    Every position of an image attends to the positions of all others. Its query meets the sum of
    their keys, and the attention averages the image's own values. One map per image comes out. A
    softmax over the images makes masks of the maps, after they are upsampled. The softmax of the
    attention is taken in float32.

    Args:
        in_channels: Number of channels C of the feature maps, >= 1.
        reduction: Divisor of C, >= 1: the embeddings have C / reduction channels, at least 1.
        upsampling: Interpolation from the map to the image: ``'bilinear'`` (the authors' networks
            on CIFAR-100) or ``'nearest'`` (their transformers).
        lam_concat: Whether the share of its image is one more channel of each map. The authors'
            configs for CIFAR-100 switch it off.

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If an argument is out of its range.
    """

    def __init__(
        self,
        in_channels: int,
        reduction: int = 2,
        upsampling: str = 'bilinear',
        lam_concat: bool = False,
    ):
        super().__init__()
        check_integer('in_channels', in_channels, 1)
        check_integer('reduction', reduction, 1)
        check_choice('upsampling', upsampling, UPSAMPLING)
        check_flag('lam_concat', lam_concat)
        self.in_channels = in_channels
        self.upsampling = upsampling
        self.lam_concat = lam_concat
        width = in_channels + 1 if lam_concat else in_channels
        inner = max(in_channels // reduction, 1)
        self.query = nn.Conv2d(width, inner, 1)
        self.key = nn.Conv2d(width, inner, 1)
        self.value = nn.Conv2d(width, 1, 1)
        for layer in (self.query, self.key, self.value):  # small: masks begin near 1/k
            nn.init.normal_(layer.weight, std=0.01)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)

    def forward(
        self, features: Tensor, weights: Tensor, index: Tensor, size: tuple[int, int]
    ) -> Tensor:
        """Return the masks of mixes.

        Args:
            features: Feature maps of the batch, (N, C, h, w).
            weights: Shares of the images of each mix, (M, k), rows on the simplex.
            index: Images of each mix, int64 (M, k), k >= 2.
            size: Height and width of the images in pixels.

        Returns:
            float32 masks (M, k, 1, H, W), summing to 1 over the k images.

        Raises:
            ValueError: If ``features`` are no maps of ``in_channels`` channels.
        """
        check_maps(features, self.in_channels)
        num_mixes, num_mix = index.shape
        with torch.autocast(features.device.type, enabled=False):
            maps = features.float()[index.flatten()]
            if self.lam_concat:
                maps = with_share(maps, weights.float().flatten())
            query, key, value = (
                part(maps).flatten(2).transpose(1, 2).unflatten(0, (num_mixes, num_mix))
                for part in (self.query, self.key, self.value)
            )
            others = key.sum(dim=1, keepdim=True) - key
            scores = F.scaled_dot_product_attention(query, others, value)
            scores = scores.flatten(0, 1).transpose(1, 2).unflatten(2, maps.shape[-2:])
            scores = F.interpolate(scores, size=size, mode=self.upsampling)
            return scores.unflatten(0, (num_mixes, num_mix)).softmax(dim=1)
