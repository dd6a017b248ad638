"""Metrics."""

from mmtmix import needs_host  # noqa: F401

from .mix_quality import MixQuality
from .teacher_agreement import TeacherAgreement

__all__ = ['MixQuality', 'TeacherAgreement']
