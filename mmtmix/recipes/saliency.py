"""Sources of saliency and label rules by the names that experiments have for them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mmtmix.checks import check_choice

from .augments import settings_of

SALIENCY = ('cam', 'refined', 'true', 'other_cam', 'other_refined', 'other_true', 'noise')
"""Names that :func:`named_saliency` takes."""

_READINGS: dict[str, dict[str, Any]] = dict(
    sources=dict(type='TeacherLabels', kind='sources'),
    attended=dict(type='AttendedLabels'),
    similar=dict(type='SimilarLabels'),
)
LABELS = (*SALIENCY, *_READINGS)
"""Names that :func:`named_labels` takes."""


def named_saliency(name: str, teacher: Mapping[str, Any]) -> dict[str, Any]:
    """Return the config of a source of saliency, by its short name.

    >>> teacher = stage('configs/glyphs/teacher.py', 'last.pth')
    >>> dict(type='CAMMix', saliency=named_saliency('refined', teacher))

    Args:
        name: ``'cam'`` for the class activation maps of the teacher, ``'refined'`` for the same
            refined by colour, ``'true'`` for the true masks of the data set, or ``'noise'`` for
            smooth noise. ``'other_cam'``, ``'other_refined'`` and ``'other_true'`` are placebos:
            the maps of another image of the batch.
        teacher: Entry of ``requires`` that trains the teacher, or its settings,
            ``dict(config=..., checkpoint=...)``. True masks and noise ignore it.

    Returns:
        ``dict(type=..., ...)`` for the argument ``saliency`` of augments and label rules.

    Raises:
        TypeError: If ``teacher`` is neither.
        ValueError: If ``name`` is unknown.
    """
    check_choice('name', name, SALIENCY)
    if name.startswith('other_'):
        return dict(
            type='OtherImages', source=named_saliency(name.removeprefix('other_'), teacher)
        )
    if name == 'refined':
        return dict(type='RefinedSaliency', source=named_saliency('cam', teacher))
    if name == 'cam':
        return dict(type='TeacherCAM', teacher=settings_of(teacher))
    return dict(type='TrueMasks' if name == 'true' else 'NoiseSaliency')


def visible_labels(name: str, teacher: Mapping[str, Any]) -> dict[str, Any]:
    """Return the config of labels by the visible part of a saliency, by its short name.

    Args:
        name: Name of the saliency, see :func:`named_saliency`.
        teacher: As in :func:`named_saliency`.

    Returns:
        ``dict(type='VisibleLabels', ...)`` for the argument ``labels`` of augments.

    Raises:
        TypeError: If ``teacher`` is neither.
        ValueError: If ``name`` is unknown.
    """
    return dict(type='VisibleLabels', saliency=named_saliency(name, teacher))


def named_labels(name: str, teacher: Mapping[str, Any]) -> dict[str, Any]:
    """Return the config of a label rule by its short name.

    Args:
        name: Name of a saliency, see :func:`named_saliency`, whose visible part is counted. Or how
            the teacher judges the mix: ``'sources'`` for its probabilities of the mixed classes,
            ``'attended'`` for :class:`~mmtmix.models.AttendedLabels`, ``'similar'`` for
            :class:`~mmtmix.models.SimilarLabels`.
        teacher: As in :func:`named_saliency`.

    Returns:
        ``dict(type=..., ...)`` for the argument ``labels`` of augments.

    Raises:
        TypeError: If ``teacher`` is neither an entry of ``requires`` nor settings.
        ValueError: If ``name`` is unknown.
    """
    check_choice('name', name, LABELS)
    if name in _READINGS:
        return dict(_READINGS[name], teacher=settings_of(teacher))
    return visible_labels(name, teacher)


def uses_teacher(name: str) -> bool:
    """Return whether a source of saliency, or a label rule, needs a teacher.

    Args:
        name: Short name of either, see :func:`named_labels`; any other, such as ``'gt'``, needs
            none.

    Returns:
        Whether it does.
    """
    return name in _READINGS or name.removeprefix('other_') in ('cam', 'refined')
