"""Metrics."""

from .mix_quality import MixQuality
from .teacher_agreement import TeacherAgreement

__all__ = ['MixQuality', 'TeacherAgreement']
