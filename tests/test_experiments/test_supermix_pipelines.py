"""SuperMix's Table 1: how its methods augment images."""

import numpy as np
import pytest
import torch
from mmcv.transforms import Compose
from mmengine.registry import DefaultScope
from mmpretrain.registry import TRANSFORMS
from torchvision.transforms import AutoAugment as TorchVisionAutoAugment
from torchvision.transforms import AutoAugmentPolicy

from tests.test_experiments.reading import load
from tests.test_experiments.supermix import CELLS, NETS, clean_and_mixed, config_of


def run(pipeline, image):
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        transform = Compose([TRANSFORMS.build(step) for step in pipeline])
    return transform(dict(img=image, gt_label=1, sample_idx=0))


def without_loading(pipeline):
    return [step for step in pipeline if 'LoadImageFromFile' not in step.type]


@pytest.mark.parametrize(('method', 'net'), CELLS)
def test_pipelines_are_those_of_the_method_and_build(method, net):
    cifar = NETS[net][2] == 'CIFAR-100'
    clean, mixed = clean_and_mixed(load(config_of(method, net)))
    steps = ['RandomCrop' if cifar else 'RandomResizedCrop', 'RandomFlip']
    if method.endswith('augment'):
        steps.append('AutoAugment' if method == 'autoaugment' else 'RandAugment')
        steps += ['Cutout'] * cifar
    loading = [] if cifar else ['CheckedLoadImageFromFile']
    assert [step.type for step in clean.pipeline] == [*loading, *steps, 'PackInputs']
    if mixed is not None:
        assert mixed.pipeline == without_loading(clean.pipeline)
    image = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    packed = run(without_loading(clean.pipeline), image)
    side = 32 if cifar else 224
    assert packed['inputs'].shape == (3, side, side)
    assert packed['inputs'].dtype == torch.uint8


@pytest.mark.parametrize(
    ('method', 'net'), [cell for cell in CELLS if cell[0].endswith('randaugment')]
)
def test_rand_augment_is_the_published_one(method, net):
    clean, _ = clean_and_mixed(load(config_of(method, net)))
    (step,) = (step for step in clean.pipeline if step.type == 'RandAugment')
    strengths = dict(wrn40_2_cifar100=(1, 2), wrn28_10_cifar100=(2, 14))
    strengths['shakeshake26_2x96d_cifar100'] = (2, 14)
    assert (step.num_policies, step.magnitude_level) == strengths.get(net, (2, 9))
    assert len(step.policies) == 14
    assert [policy.prob for policy in step.policies] == [0] + [1] * 13
    size = 32 if net.endswith('cifar100') else 224
    image = np.random.default_rng(1).integers(0, 256, (size, size, 3), dtype=np.uint8)
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        operations = TRANSFORMS.build(step).transforms
    changed = set()
    for number, operation in enumerate(operations):
        out = operation(dict(img=image.copy()))['img']
        assert (out.shape, out.dtype) == (image.shape, np.uint8)
        if (out != image).any():
            changed.add(number)
    # the first is the identity; an image of all values has its contrast, and level 14 of 10
    # solarizes nothing
    same = {0, 1} | ({4} if step.magnitude_level > 10 else set())
    assert changed == set(range(14)) - same


def test_rand_augments_enhancing_factors_are_its_authors():
    """Their code has level / 10 * 1.8 + 0.1."""
    for net, factor in (('wrn40_2_cifar100', 0.46), ('wrn28_10_cifar100', 2.62)):
        step = load(config_of('randaugment', net)).train_pipeline[2]
        with DefaultScope.overwrite_default_scope('mmpretrain'):
            operations = TRANSFORMS.build(step).transforms
        enhancing = [op for op in operations if op.magnitude_range == (-0.9, 0.9)]
        assert len(enhancing) == 4
        for operation in enhancing:
            assert 1 + operation.random_negative(operation.random_magnitude()) == (
                pytest.approx(factor)
            )


def test_auto_augments_policy_for_cifar_is_the_published_one():
    published = TorchVisionAutoAugment(AutoAugmentPolicy.CIFAR10)
    space = published._augmentation_space(10, (32, 32))
    pipeline = load('configs/autoaugment/wrn28_10_cifar100.py').train_pipeline
    policies = pipeline[2].policies
    assert len(policies) == len(published.policies) == 25
    fields = dict(Rotate='angle', Posterize='bits', Solarize='thr')
    directions = dict(X='horizontal', Y='vertical')
    for ours, theirs in zip(policies, published.policies, strict=True):
        for operation, (name, prob, level) in zip(ours, theirs, strict=True):
            assert operation.prob == prob
            kind = operation.type.replace('ColorTransform', 'Color')
            if name[-1] in directions:
                assert operation.direction == directions[name[-1]]
                name = name[:-1]
            assert kind == name
            if level is None:
                assert set(operation) == {'type', 'prob'}
                continue
            wanted = float(space[theirs[ours.index(operation)][0]][0][level])
            found = operation[fields.get(kind, 'magnitude')]
            if kind == 'Translate':
                found *= 32
            # thresholds of 255 there, of 256 in MMPretrain
            assert found == pytest.approx(wanted, abs=1.01 if kind == 'Solarize' else 1e-5)
