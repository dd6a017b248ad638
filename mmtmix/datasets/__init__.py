"""Datasets of our own and the check that a config's data is in place."""

from mmtmix import needs_host  # noqa: F401

from .digits import Digits
from .endless_sampler import EndlessSampler
from .fashion_mnist import FashionMNISTIdx
from .flowers102_818 import Flowers102Split818
from .imagenet32 import ImageNet32
from .loading import CheckedLoadImageFromFile, name_image_files
from .mixed_images import MixedImages
from .one_hot_score import OneHotScore
from .preflight import check_data
from .seeding import seed_worker
from .tiny_imagenet import TinyImageNet
from .transforms import AugMix, PlaceOnCanvas
from .undistorted import build_undistorted, undistorted_config

__all__ = [
    'AugMix',
    'CheckedLoadImageFromFile',
    'Digits',
    'EndlessSampler',
    'FashionMNISTIdx',
    'Flowers102Split818',
    'ImageNet32',
    'MixedImages',
    'OneHotScore',
    'PlaceOnCanvas',
    'TinyImageNet',
    'build_undistorted',
    'check_data',
    'name_image_files',
    'seed_worker',
    'undistorted_config',
]
