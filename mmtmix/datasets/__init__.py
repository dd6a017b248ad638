"""Data sets of our own, and the check that a config's data is there."""

from mmtmix import needs_host  # noqa: F401

from .cifar_c import CIFARC
from .digits import Digits
from .endless_sampler import EndlessSampler
from .eval_view import build_eval_view, eval_view_config
from .fashion_mnist import FashionMNISTIdx
from .flowers102_818 import Flowers102Split818
from .glyphs import Glyphs
from .imagenet32 import ImageNet32
from .loading import CheckedLoadImageFromFile, name_image_files
from .mixed_images import MixedImages
from .one_hot_score import OneHotScore
from .preflight import check_data
from .resident import ResidentDataset, resident_collate
from .seeding import seed_worker
from .tiny_imagenet import TinyImageNet
from .transforms import AddBoxes, AugMix, CarryMask, Corrupt, PlaceOnCanvas, ScaleBoxes

__all__ = [
    'CIFARC',
    'AddBoxes',
    'AugMix',
    'CarryMask',
    'CheckedLoadImageFromFile',
    'Corrupt',
    'Digits',
    'EndlessSampler',
    'FashionMNISTIdx',
    'Flowers102Split818',
    'Glyphs',
    'ImageNet32',
    'MixedImages',
    'OneHotScore',
    'PlaceOnCanvas',
    'ResidentDataset',
    'ScaleBoxes',
    'TinyImageNet',
    'build_eval_view',
    'check_data',
    'eval_view_config',
    'name_image_files',
    'resident_collate',
    'seed_worker',
]
