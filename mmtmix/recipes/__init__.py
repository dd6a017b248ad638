"""What configs share, as functions: import them in a config below ``_base_``.

A file without a base begins with ``_base_ = []``: above an import of a package MMEngine would take
it for a config of its newer style.
"""

from mmtmix.utils.config import read_base
from mmtmix.utils.variants import variant

from .augments import supermix, transformmix
from .offline import clean_and_mixed, mixed_images, scale_schedule
from .policies import autoaugment_cifar_policies, randaugment_policies
from .stages import stage, teacher_from

__all__ = [
    'autoaugment_cifar_policies',
    'clean_and_mixed',
    'mixed_images',
    'randaugment_policies',
    'read_base',
    'scale_schedule',
    'stage',
    'supermix',
    'teacher_from',
    'transformmix',
    'variant',
]
