"""Published lists of image operations, written out."""

import pytest

from mmtmix.recipes import autoaugment_cifar_policies, randaugment_policies


def test_rand_augments_operations_are_those_of_the_paper():
    enhanced = dict(magnitude_range=(-0.9, 0.9), random_negative_prob=0.0, prob=1.0)
    assert randaugment_policies(translate=10 / 32) == [
        dict(type='Equalize', prob=0.0),
        dict(type='AutoContrast', prob=1.0),
        dict(type='Equalize', prob=1.0),
        dict(type='Rotate', magnitude_range=(0, 30), prob=1.0),
        dict(type='Solarize', magnitude_range=(0, 256), prob=1.0),
        dict(type='ColorTransform', **enhanced),
        dict(type='Posterize', magnitude_range=(0, 4), prob=1.0),
        dict(type='Contrast', **enhanced),
        dict(type='Brightness', **enhanced),
        dict(type='Sharpness', **enhanced),
        dict(type='Shear', magnitude_range=(0, 0.3), direction='horizontal', prob=1.0),
        dict(type='Shear', magnitude_range=(0, 0.3), direction='vertical', prob=1.0),
        dict(type='Translate', magnitude_range=(0, 0.3125), direction='horizontal', prob=1.0),
        dict(type='Translate', magnitude_range=(0, 0.3125), direction='vertical', prob=1.0),
    ]


@pytest.mark.parametrize(('value', 'error'), [(0, ValueError), (2, ValueError), ('1', TypeError)])
def test_a_shift_is_a_share_of_the_image(value, error):
    with pytest.raises(error, match='translate must be a finite number > 0 and <= 1'):
        randaugment_policies(translate=value)


# all 25 beside torchvision's: tests/test_experiments/test_supermix_pipelines.py
def test_auto_augments_operations_have_mmpretrains_names():
    policies = autoaugment_cifar_policies()
    assert [len(policy) for policy in policies] == [2] * 25
    assert policies[1] == [
        dict(type='Rotate', prob=0.7, angle=30 * (2 / 9)),
        dict(type='Translate', prob=0.3, magnitude=150 / 331, direction='horizontal'),
    ]
    assert policies[6][0] == dict(type='ColorTransform', prob=0.4, magnitude=0.9 * (3 / 9))
    assert policies[5][1] == dict(type='Posterize', prob=0.3, bits=5)
