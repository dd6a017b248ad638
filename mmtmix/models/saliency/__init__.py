"""Interchangeable sources of saliency, which measures how much each part of an image matters."""

from .base import SALIENCY_SOURCES, SaliencySource, build_saliency
from .fine_grained import FineGrainedSaliency
from .input_gradient import InputGradient
from .live_model import LiveModel, live_model, set_live_model
from .placebos import NoiseSaliency, OtherImages
from .refined import RefinedSaliency
from .teacher_cam import TeacherCAM
from .true_masks import TrueMasks, object_masks, set_object_masks

__all__ = [
    'SALIENCY_SOURCES',
    'FineGrainedSaliency',
    'InputGradient',
    'LiveModel',
    'NoiseSaliency',
    'OtherImages',
    'RefinedSaliency',
    'SaliencySource',
    'TeacherCAM',
    'TrueMasks',
    'build_saliency',
    'live_model',
    'object_masks',
    'set_live_model',
    'set_object_masks',
]
