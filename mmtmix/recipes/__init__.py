"""Functions for what configs share; import them in a config below ``_base_``.

A file without a base begins with ``_base_ = []``. Without that line, MMEngine would read a file
that imports a package as a config of its newer style.
"""

from mmtmix.utils.config import read_base
from mmtmix.utils.variants import variant

from .augments import supermix, transformmix
from .distillation import (
    distill,
    mixed_pipeline_of,
    mixed_set_of,
    mixes_of,
    pair_variant,
    search_of,
    student_of,
    teacher_of,
)
from .offline import clean_and_mixed, mixed_images, scale_schedule
from .pairs import PAIRS, pair_names
from .policies import autoaugment_cifar_policies, randaugment_policies
from .resident import resident
from .saliency import (
    LABELS,
    SALIENCY,
    named_labels,
    named_saliency,
    uses_teacher,
    visible_labels,
)
from .stages import stage, teacher_from

__all__ = [
    'LABELS',
    'PAIRS',
    'SALIENCY',
    'autoaugment_cifar_policies',
    'clean_and_mixed',
    'distill',
    'mixed_images',
    'mixed_pipeline_of',
    'mixed_set_of',
    'mixes_of',
    'named_labels',
    'named_saliency',
    'pair_names',
    'pair_variant',
    'randaugment_policies',
    'read_base',
    'resident',
    'scale_schedule',
    'search_of',
    'stage',
    'student_of',
    'supermix',
    'teacher_from',
    'teacher_of',
    'transformmix',
    'uses_teacher',
    'variant',
    'visible_labels',
]
