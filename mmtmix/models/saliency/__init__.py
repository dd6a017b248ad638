"""Interchangeable sources of saliency, which measures how much each part of an image matters."""

from .base import SALIENCY_SOURCES, SaliencySource, build_saliency
from .fine_grained import FineGrainedSaliency
from .input_gradient import InputGradient
from .live_model import LiveModel, live_model, set_live_model
from .teacher_cam import TeacherCAM

__all__ = [
    'SALIENCY_SOURCES',
    'FineGrainedSaliency',
    'InputGradient',
    'LiveModel',
    'SaliencySource',
    'TeacherCAM',
    'build_saliency',
    'live_model',
    'set_live_model',
]
