"""Pipelines with draws that a test chooses."""

import numpy as np
import pytest
import torch
from mmcv.transforms import RandomFlip
from mmpretrain.datasets import RandomCrop

from mmtmix.datasets.resident.geometry import Geometry
from mmtmix.functional.pixel_maps import pick_pixels, with_fill


@pytest.fixture
def ordinary():
    """Do transforms on an image with chosen draws, as MMPretrain does."""

    def run(transforms, image, draws):
        results = dict(img=image.copy())
        for transform in transforms:
            if isinstance(transform, RandomCrop):
                top, left = draws[transform]
                size = transform.crop_size
                transform.rand_crop_params = lambda img, t=top, x=left, s=size: (
                    (t, x, min(s[0], img.shape[0]), min(s[1], img.shape[1]))
                )
            elif isinstance(transform, RandomFlip):
                transform._choose_direction = lambda d=draws[transform]: d
            results = transform(results)
        return results['img']

    return run


@pytest.fixture
def batched():
    """Do geometric transforms on images at once, with draws of the steps."""

    def run(transforms, images, index, draws):
        geometry = Geometry(transforms, images.shape[1:])
        channels = images if images.ndim == 4 else images[..., None]
        source = torch.from_numpy(channels).permute(0, 3, 1, 2)
        height, width = source.shape[2:]
        canvas = with_fill(height, width, geometry.colours)
        stored = canvas.expand(len(source), *canvas.shape).contiguous()
        stored[:, :, :height, :width] = source
        rows, cols = geometry.maps(len(index), draws)
        found = pick_pixels(stored, torch.as_tensor(index), rows, cols).permute(0, 2, 3, 1).numpy()
        assert found.shape[1:3] == geometry.size
        return found if images.ndim == 4 else found[..., 0]

    return run


@pytest.fixture
def images():
    """Five images of 7 x 6 pixels with three channels."""
    return np.random.default_rng(0).integers(0, 256, (5, 7, 6, 3), dtype=np.uint8)
