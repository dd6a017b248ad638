"""Published lists of image operations, in MMPretrain's terms."""

from __future__ import annotations

from typing import Any

from mmtmix.checks import check_number

# AutoAugment's table for CIFAR-10: two operations each, by name, probability and level in 0-9
_AUTOAUGMENT_CIFAR = (
    (('Invert', 0.1, 0), ('Contrast', 0.2, 6)),
    (('Rotate', 0.7, 2), ('TranslateX', 0.3, 9)),
    (('Sharpness', 0.8, 1), ('Sharpness', 0.9, 3)),
    (('ShearY', 0.5, 8), ('TranslateY', 0.7, 9)),
    (('AutoContrast', 0.5, 0), ('Equalize', 0.9, 0)),
    (('ShearY', 0.2, 7), ('Posterize', 0.3, 7)),
    (('Color', 0.4, 3), ('Brightness', 0.6, 7)),
    (('Sharpness', 0.3, 9), ('Brightness', 0.7, 9)),
    (('Equalize', 0.6, 0), ('Equalize', 0.5, 0)),
    (('Contrast', 0.6, 7), ('Sharpness', 0.6, 5)),
    (('Color', 0.7, 7), ('TranslateX', 0.5, 8)),
    (('Equalize', 0.3, 0), ('AutoContrast', 0.4, 0)),
    (('TranslateY', 0.4, 3), ('Sharpness', 0.2, 6)),
    (('Brightness', 0.9, 6), ('Color', 0.2, 8)),
    (('Solarize', 0.5, 2), ('Invert', 0.0, 0)),
    (('Equalize', 0.2, 0), ('AutoContrast', 0.6, 0)),
    (('Equalize', 0.2, 0), ('Equalize', 0.6, 0)),
    (('Color', 0.9, 9), ('Equalize', 0.6, 0)),
    (('AutoContrast', 0.8, 0), ('Solarize', 0.2, 8)),
    (('Brightness', 0.1, 3), ('Color', 0.7, 0)),
    (('Solarize', 0.4, 5), ('AutoContrast', 0.9, 0)),
    (('TranslateY', 0.9, 9), ('TranslateY', 0.7, 9)),
    (('AutoContrast', 0.9, 0), ('Solarize', 0.8, 3)),
    (('Equalize', 0.8, 0), ('Invert', 0.1, 0)),
    (('TranslateY', 0.7, 9), ('AutoContrast', 0.9, 0)),
)


def autoaugment_cifar_policies() -> list[list[dict[str, Any]]]:
    """Return AutoAugment's 25 sub-policies for CIFAR as `policies` of MMPretrain's AutoAugment.

    Levels have the meaning that they have in MMPretrain's own policy for ImageNet.

    Returns:
        25 lists of two configs of transforms each.

    Source: AutoAugment (CVPR 2019), appendix, Table 7.
    """
    return [[_operation(*each) for each in pair] for pair in _AUTOAUGMENT_CIFAR]


def _operation(name: str, prob: float, level: int) -> dict[str, Any]:
    """Return the config of one operation of AutoAugment's table."""
    part = level / 9
    settings: dict[str, dict[str, Any]] = dict(
        Color=dict(type='ColorTransform', magnitude=0.9 * part),
        Contrast=dict(magnitude=0.9 * part),
        Brightness=dict(magnitude=0.9 * part),
        Sharpness=dict(magnitude=0.9 * part),
        Posterize=dict(bits=8 - round(4 * part)),
        Rotate=dict(angle=30 * part),
        Shear=dict(magnitude=0.3 * part),
        Solarize=dict(thr=256 * (1 - part)),
        Translate=dict(magnitude=150 / 331 * part),
    )
    kind = name.rstrip('XY')
    axis = dict(direction=dict(X='horizontal', Y='vertical')[name[-1]]) if kind != name else {}
    return {'type': kind, 'prob': prob, **settings.get(kind, {}), **axis}


def randaugment_policies(translate: float) -> list[dict[str, Any]]:
    """Return RandAugment's 14 operations as `policies` of MMPretrain's RandAugment.

    The operations are those of the paper's list, in the ranges of its authors' code, where a
    higher level solarizes and posterizes less. Each is always applied.

    Args:
        translate: Farthest shift as a share of the image's side, in (0, 1].

    Returns:
        14 configs of transforms, the identity first.

    Raises:
        TypeError: If `translate` is no number.
        ValueError: If `translate` is out of range.

    Source: RandAugment (CVPR Workshops 2020), section 3.
    """
    check_number('translate', translate, above=0, most=1)
    enhance = dict(magnitude_range=(-0.9, 0.9), random_negative_prob=0.0, prob=1.0)
    operations: list[dict[str, Any]] = [
        # the identity
        dict(type='Equalize', prob=0.0),
        dict(type='AutoContrast', prob=1.0),
        dict(type='Equalize', prob=1.0),
        dict(type='Rotate', magnitude_range=(0, 30), prob=1.0),
        dict(type='Solarize', magnitude_range=(0, 256), prob=1.0),
        dict(type='ColorTransform', **enhance),
        dict(type='Posterize', magnitude_range=(0, 4), prob=1.0),
        *(dict(type=name, **enhance) for name in ('Contrast', 'Brightness', 'Sharpness')),
    ]
    for name, most in (('Shear', 0.3), ('Translate', translate)):
        for direction in ('horizontal', 'vertical'):
            operations.append(
                dict(type=name, magnitude_range=(0, most), direction=direction, prob=1.0)
            )
    return operations
