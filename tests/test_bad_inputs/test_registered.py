"""Every class of ours in a registry refuses bad arguments by name."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import mmpretrain.registry as registries
import numpy as np
import pytest
from mmengine.registry import Registry
from mmengine.visualization import Visualizer

import mmtmix.datasets
import mmtmix.engine
import mmtmix.evaluation
import mmtmix.evaluation.image_loader
import mmtmix.models  # noqa: F401  (registers)
from mmtmix.models.label_rules import LABEL_RULES
from mmtmix.models.saliency import SALIENCY_SOURCES

pytestmark = pytest.mark.host

TEACHER = dict(config='teacher.py', checkpoint='teacher.pth')
NETWORK = dict(
    backbone=dict(type='CifarResNet', depth=8),
    neck=dict(type='GlobalAveragePooling'),
    head=dict(type='LinearClsHead', num_classes=4, in_channels=16),
)
LAZY = dict(data_root='nowhere', lazy_init=True)
LABELLED = SimpleNamespace(get_gt_labels=lambda: np.array([0, 1, 0, 1]))

GOOD: dict[str, dict[str, Any]] = {
    **dict.fromkeys(['FMix', 'GridMix', 'SampleCutMix', 'SampleMixup', 'SampleResizeMix'], {}),
    **dict.fromkeys(['CoMixup', 'PuzzleMix', 'SaliencyMix', 'SmoothMix'], {}),
    'AttentiveMix': dict(teacher=TEACHER),
    'CAMMix': dict(teacher=TEACHER),
    'SoftMasks': dict(augment=dict(type='FMix'), sigma=1.0),
    'ObjectPaste': dict(teacher=TEACHER),
    'ChooseAugment': dict(augments=[dict(type='FMix')], probs=[0.5]),
    'SuperMix': dict(teacher=TEACHER),
    'TransformMix': dict(teacher=TEACHER, mixer='mixer.pth'),
    'FineGrainedSaliency': {},
    'NoiseSaliency': {},
    'OtherImages': dict(source='FineGrainedSaliency'),
    'RefinedSaliency': dict(source='FineGrainedSaliency'),
    'TrueMasks': {},
    'AttendedLabels': dict(teacher=TEACHER),
    'SimilarLabels': dict(teacher=TEACHER),
    'TeacherLabels': dict(teacher=TEACHER),
    'VisibleLabels': {},
    'InputGradient': {},
    'TeacherCAM': dict(teacher=TEACHER),
    'CifarMobileNetV2': {},
    'CifarResNet': dict(depth=8),
    'CifarResNeXt': dict(depth=50),
    'EfficientNetLite0': {},
    'CifarShuffleNetV1': {},
    'CifarShuffleNetV2': {},
    'CifarVGG': dict(depth=8),
    'DeepResNet': dict(depth=18),
    'PreActResNet': dict(base_channels=4),
    'ShakeShake': dict(base_channels=18),
    'WideResNet': dict(depth=10, widen_factor=1),
    **dict.fromkeys(['CRDLoss', 'KDLoss', 'SoftmaxBCELoss', 'TransformMixer'], {}),
    'MixBlock': dict(in_channels=4),
    'AugMixClassifier': NETWORK,
    'AutoMixClassifier': dict(NETWORK, mix_block=dict(type='MixBlock', in_channels=32)),
    'AdAutoMixClassifier': dict(NETWORK, mix_block=dict(type='AdaptiveMixBlock', in_channels=32)),
    'AdaptiveMixBlock': dict(in_channels=32),
    'ManifoldMixup': NETWORK,
    'MixerSearch': dict(mixer=dict(type='TransformMixer')),
    **dict.fromkeys(['RepeatMixPreprocessor', 'ResidentPreprocessor', 'ViewsPreprocessor'], {}),
    'AutocastOptimWrapper': {},
    'DistillHook': dict(teacher=TEACHER, preset='kd'),
    **dict.fromkeys(['AccuracySummaryHook', 'AutoMixHook', 'ChannelsLastHook'], {}),
    **dict.fromkeys(['EpochSeedHook', 'FiniteStopHook', 'LabelRangeHook'], {}),
    **dict.fromkeys(['KeepingCheckpointHook', 'ResumeConfigHook', 'SignalStopHook'], {}),
    **dict.fromkeys(['LastCheckpointHook', 'LiveModelHook', 'MixingCheckHook'], {}),
    **dict.fromkeys(['KeepFreedMemoryHook', 'KeepingCheckpointHook', 'PrecisionHook'], {}),
    **dict.fromkeys(['MixLogHook', 'MixVisualizationHook', 'PredictionPicturesHook'], {}),
    'EarlyCheckpointHook': dict(epochs=[1]),
    'MixerSearchLoop': dict(runner=None, dataloader=None, max_epochs=1),
    **dict.fromkeys(['MixQuality', 'TeacherAgreement'], {}),
    **dict.fromkeys(['Flowers102Split818', 'ImageNet32', 'MixedImages', 'TinyImageNet'], LAZY),
    **dict.fromkeys(['Digits', 'FashionMNISTIdx'], dict(lazy_init=True)),
    'ResidentDataset': dict(
        dataset=dict(type='FashionMNISTIdx', lazy_init=True, pipeline=[dict(type='PackInputs')])
    ),
    'CIFARC': dict(LAZY, kind='fog'),
    'BalancedSubsetSampler': dict(dataset=LABELLED, num_images=2),
    'EndlessSampler': dict(dataset=range(3)),
    'AddBoxes': dict(boxes={'a.png': [0, 0, 1, 1]}),
    'Corrupt': dict(kind='fog', severity=1, channel_order='rgb'),
    'ScaleBoxes': {},
    'AugMix': {},
    'CheckedLoadImageFromFile': {},
    'OneHotScore': dict(num_classes=4),
    'CarryMask': dict(transforms=[dict(type='RandomFlip', prob=0.5)]),
    'Glyphs': dict(num_images=2, lazy_init=True),
    'PlaceOnCanvas': dict(side=2, size=4),
}
"""Arguments that each class takes; a class that is missing here fails."""

CHOICES = {
    'CifarResNet': ['width'],
    'CifarShuffleNetV2': ['widen_factor'],
    'CifarVGG': ['depth'],
    'DeepResNet': ['depth'],
    'PreActResNet': ['depth', 'stem_stride'],
    'FashionMNISTIdx': ['channels'],
}
TEXTS = {
    'AdAutoMixClassifier': ['mask_layer'],
    'AutoMixClassifier': ['mask_layer'],
    'FiniteStopHook': ['filename'],
    'LastCheckpointHook': ['filename'],
    'MixerSearchLoop': ['mixer_name'],
}
TAKE_ANY = ('KeepingCheckpointHook', 'PredictionPicturesHook')  # as the host's hooks below them
NEEDS_A_RUN = ('MixerSearchLoop', 'AutocastOptimWrapper')


def _registered() -> dict[str, tuple[Registry, type]]:
    places = [one for one in vars(registries).values() if isinstance(one, Registry)]
    return {
        name: (place, kind)
        for place in [*places, SALIENCY_SOURCES, LABEL_RULES]
        for name, kind in place.module_dict.items()
        if isinstance(kind, type) and kind.__module__.startswith('mmtmix.')
    }


REGISTERED = _registered()


def _is_ours(function: Any) -> bool:
    return getattr(function, '__module__', '').startswith('mmtmix.')


@pytest.fixture
def build(teacher):
    Visualizer.get_instance('bad_inputs')  # PredictionPicturesHook takes the latest

    def build(name, arguments):
        place, kind = REGISTERED[name]
        if 'teacher' not in arguments and name == 'MixerSearch':
            arguments = arguments | dict(teacher=teacher)
        if place in (SALIENCY_SOURCES, LABEL_RULES):
            return kind(**arguments)
        return place.build(dict(type=name, _scope_='mmpretrain', **arguments))

    return build


def test_the_table_names_the_classes_that_there_are():
    assert sorted(REGISTERED) == sorted(GOOD)


@pytest.mark.parametrize('name', sorted(set(REGISTERED) - set(NEEDS_A_RUN)))
def test_good_arguments_are_taken(name, build):
    if name in ('CoMixup', 'PuzzleMix'):
        pytest.importorskip('maxflow')
    assert isinstance(build(name, GOOD[name]), REGISTERED[name][1])


@pytest.fixture(scope='module')
def counts():
    return {}


@pytest.mark.parametrize('name', sorted(REGISTERED))
def test_bad_arguments_are_refused_by_name(name, build, count_refused, counts):
    kind = REGISTERED[name][1]
    if not _is_ours(kind.__init__):
        return  # the host's
    counts[name] = count_refused(
        kind,
        lambda arguments: build(name, arguments),
        GOOD[name],
        CHOICES.get(name, ()),
        TEXTS.get(name, ()),
    )


@pytest.mark.parametrize('name', sorted(REGISTERED))
def test_an_unknown_argument_is_refused_by_name(name, build):
    if not _is_ours(REGISTERED[name][1].__init__) or name in TAKE_ANY:
        return
    with pytest.raises(TypeError, match='nonesuch'):
        build(name, GOOD[name] | dict(nonesuch=1))


def test_there_are_many_cases(counts):
    if set(counts) < {name for name in REGISTERED if name.startswith('S')}:
        pytest.skip('the other tests of this file were not chosen')
    assert sum(counts.values()) >= 500
