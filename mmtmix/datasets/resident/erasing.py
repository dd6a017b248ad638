"""MMPretrain's ``RandomErasing`` for a batch."""

from __future__ import annotations

import numpy as np
import torch
from mmpretrain.datasets import RandomErasing
from torch import Tensor

from mmtmix.functional.pixel_maps import draw_patches, patch_masks


class Erasing:
    """Erases a rectangle in each image of a batch.

    Args:
        transform: Transform of MMPretrain.
        size: Height and width of the images in pixels.
        device: Device of the batches.
    """

    def __init__(self, transform: RandomErasing, size: tuple[int, int], device: torch.device):
        self.transform = transform
        self.size = size
        # numpy's conversion, as there
        colour = np.array(transform.fill_color, dtype=np.uint8)
        self.colour = torch.from_numpy(colour).view(3, 1, 1).to(device)
        self.noise = torch.Generator(device)
        if transform.fill_std is not None:
            values = torch.tensor([transform.fill_color, transform.fill_std], device=device)
            self.mean, self.std = values.float().view(2, 3, 1, 1)

    def draw(self, count: int, generator: torch.Generator | None = None) -> tuple[Tensor, int]:
        """Draw the rectangles of a batch, and a seed for their noise.

        Args:
            count: Number N of images, >= 0.
            generator: Source of randomness; torch's own by default.

        Returns:
            Top, left, height and width, int64 (N, 4), on the CPU, and the seed.
        """
        settings = self.transform
        areas = settings.min_area_ratio, settings.max_area_ratio
        patches = draw_patches(
            count, *self.size, settings.erase_prob, areas, settings.aspect_range, generator
        )
        if settings.mode == 'const':
            return patches, 0
        return patches, int(torch.randint(2**62, (), generator=generator))

    def apply(self, images: Tensor, patches: Tensor, seed: int) -> Tensor:
        """Return images with their rectangles filled.

        Args:
            images: Images, uint8 (N, 3, H, W).
            patches: Rectangles from :meth:`draw`, on the device of the images.
            seed: Seed of the noise.
        """
        return torch.where(patch_masks(patches, *self.size), self._filling(images, seed), images)

    def _filling(self, images: Tensor, seed: int) -> Tensor:
        """Return the pixels that may be filled in, broadcastable to the images."""
        if self.transform.mode == 'const':
            return self.colour
        self.noise.manual_seed(seed)
        if self.transform.fill_std is None:
            return torch.empty_like(images).random_(0, 256, generator=self.noise)
        noise = torch.empty(images.shape, device=images.device).normal_(generator=self.noise)
        return (self.mean + self.std * noise).to(torch.int32).clamp(0, 255).to(torch.uint8)
