"""Datasets of our own and the check that a config's data is in place."""

from .fashion_mnist import FashionMNISTIdx
from .mixed_images import MixedImages
from .one_hot_score import OneHotScore
from .preflight import check_data
from .seeding import seed_worker
from .undistorted import build_undistorted, loads_bgr

__all__ = [
    'FashionMNISTIdx',
    'MixedImages',
    'OneHotScore',
    'build_undistorted',
    'check_data',
    'loads_bgr',
    'seed_worker',
]
