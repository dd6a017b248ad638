"""Labels that every mixer refuses with one text, and integer labels that mixers take."""

import copy
import pickle

import pytest
import torch
from mmpretrain.registry import BATCH_AUGMENTS, MODELS
from mmpretrain.structures import DataSample

from mmtmix.engine.distillation import OnlineMixes
from mmtmix.models import FineGrainedSaliency, SuperMix, TransformMix, TransformMixer
from mmtmix.models.label_check import as_scores

pytestmark = pytest.mark.host

BLIND = ['SampleMixup', 'SampleCutMix', 'SampleResizeMix', 'GridMix', 'SmoothMix', 'FMix']
LABELS = torch.tensor([3, 0, 9, 5, 1, 7])
ONE_HOT = torch.eye(10)[LABELS]
ONE_TEXT = r'batch_scores must be soft labels of shape \(N, num_classes\), finite and not negative'


def with_value(value):
    scores = ONE_HOT.clone()
    scores[2, 4] = value
    return scores


BAD = {
    r'class indices of shape \(6, 1\) in torch.int64': LABELS[:, None],
    r'class indices of shape \(6, 1\) in torch.float32': LABELS[:, None].float(),
    r'shape \(6,\) in torch.float32': LABELS.float(),
    r'shape \(6, 10, 1\) in torch.float32': ONE_HOT[..., None],
    'NaN or infinity': with_value(float('nan')),
    'NaN or infinity ': with_value(float('inf')),
    'NaN or infinity  ': with_value(float('-inf')),
    'negative scores': with_value(-0.1),
}


@pytest.fixture(scope='module')
def mixers(tmp_path_factory):
    """Make every augment: ``mixers(num_classes=None)`` gives them by name."""
    net = dict(
        type='ImageClassifier',
        backbone=dict(type='WideResNet', depth=10, widen_factor=1),
        neck=dict(type='GlobalAveragePooling'),
        head=dict(type='LinearClsHead', num_classes=10, in_channels=64),
    )
    path = tmp_path_factory.mktemp('teacher') / 't.pth'
    torch.manual_seed(0)
    torch.save(MODELS.build(dict(net, _scope_='mmpretrain')).state_dict(), path)
    stats = dict(mean=[0.0] * 3, std=[1.0] * 3, channel_order='rgb')
    teacher = dict(config=dict(net, data_preprocessor=stats), checkpoint=str(path))
    module = TransformMixer(cam_size=18)

    def make(**settings):
        made = {kind: BATCH_AUGMENTS.build(dict(type=kind, **settings)) for kind in BLIND}
        bright = FineGrainedSaliency(input_stats=stats)
        for kind in ('SaliencyMix', 'PuzzleMix', 'CoMixup'):
            made[kind] = BATCH_AUGMENTS.build(dict(type=kind, saliency=bright, **settings))
        cells = dict(type='AttentiveMix', teacher=teacher, **settings)
        made['AttentiveMix'] = BATCH_AUGMENTS.build(cells)
        made['SuperMix'] = SuperMix(teacher, max_iters=1, **settings)
        made['TransformMix'] = TransformMix(teacher, module, **settings)
        return made

    return make


@pytest.fixture
def images():
    return torch.randn(6, 3, 16, 16, generator=torch.Generator().manual_seed(0))


def test_every_mixer_refuses_bad_labels_with_one_text(mixers, images):
    for name, mixer in mixers().items():
        for problem, labels in BAD.items():
            with pytest.raises(ValueError, match=f'{ONE_TEXT}, got {problem.strip()}'):
                mixer(images, labels)
                pytest.fail(f'{name} took {problem}')


def test_integer_labels_give_what_one_hot_ones_give(mixers, images):
    plain, with_classes = mixers(), mixers(num_classes=10)
    assert len(plain) == 12
    for name, mixer in with_classes.items():
        results = []
        for used, labels in (
            (plain[name], ONE_HOT),
            (mixer, ONE_HOT),
            (mixer, LABELS),
            (mixer, LABELS.int()),
        ):
            torch.manual_seed(1)
            results.append(used(images, labels))
        for mixed, targets in results[1:]:
            assert torch.equal(mixed, results[0][0]), name
            assert torch.equal(targets, results[0][1]), name
        assert not torch.equal(results[0][0], images)


def test_class_indices_and_widths_must_fit_num_classes(images):
    mixer = BATCH_AUGMENTS.build(dict(type='SampleMixup', num_classes=9))
    for wrong, problem in (
        (LABELS, 'class indices outside 0 to 8'),
        (-LABELS, 'class indices outside 0 to 8'),
        (ONE_HOT, r'shape \(6, 10\) for num_classes=9'),
        (LABELS[:, None], r'class indices of shape \(6, 1\)'),
    ):
        with pytest.raises(ValueError, match=f'{ONE_TEXT}, got {problem}'):
            mixer(images, wrong)
    for wrong in (0, 2.0, True, '10'):
        with pytest.raises((TypeError, ValueError), match='num_classes must be an integer >= 1'):
            BATCH_AUGMENTS.build(dict(type='SampleMixup', num_classes=wrong))


def test_multi_hot_soft_and_empty_rows_stay_what_they_are():
    for scores in (ONE_HOT + ONE_HOT.flip(1), ONE_HOT * 0.5 + 0.05, ONE_HOT * 0, ONE_HOT[:0]):
        assert as_scores(scores) is scores
    assert torch.equal(as_scores(ONE_HOT.bool()), ONE_HOT)
    assert torch.equal(as_scores(ONE_HOT.long()), ONE_HOT)
    one_column = torch.tensor([[1.0], [0.0]])  # a single logit
    assert as_scores(one_column, num_classes=1) is one_column


def samples_of(scores):
    return [DataSample().set_gt_label(0).set_gt_score(score) for score in scores]


@pytest.mark.parametrize('value', [float('nan'), float('-inf'), -0.1])
def test_classifiers_search_and_distillation_refuse_the_same(value, images, tmp_path):
    parts = dict(
        backbone=dict(type='WideResNet', depth=10, widen_factor=1),
        neck=dict(type='GlobalAveragePooling'),
        head=dict(type='LinearClsHead', num_classes=10, in_channels=64),
        _scope_='mmpretrain',
    )
    problem = 'negative scores' if value == -0.1 else 'NaN or infinity'
    samples = samples_of(with_value(value))
    views = torch.cat([images, images])
    net = MODELS.build(dict(type='ImageClassifier', **parts))
    torch.save(net.state_dict(), tmp_path / 't.pth')
    stats = dict(mean=[0.0] * 3, std=[1.0] * 3, channel_order='rgb')
    config = dict(type='ImageClassifier', data_preprocessor=stats, **parts)
    teacher = dict(config=config, checkpoint=str(tmp_path / 't.pth'))
    auto = MODELS.build(
        dict(type='AutoMixClassifier', mix_block=dict(type='MixBlock', in_channels=32), **parts)
    )
    auto.progress = 0.0
    search = dict(type='MixerSearch', teacher=teacher, mixer=dict(type='TransformMixer'))
    mixes = OnlineMixes(dict(type='mmpretrain.Mixup', alpha=1.0))
    mixes.num_classes = 10
    for losses in (
        lambda: MODELS.build(dict(type='ManifoldMixup', **parts)).loss(images, samples),
        lambda: auto.loss(images, samples),
        lambda: MODELS.build(dict(type='AugMixClassifier', **parts)).loss(views, samples),
        lambda: MODELS.build(search)(images, samples, mode='loss'),
        lambda: mixes.draw(images, samples, None, True),
    ):
        with pytest.raises(ValueError, match=f'{ONE_TEXT}, got {problem}'):
            losses()


class OnCuda(torch.Tensor):
    """A tensor that pretends to be on CUDA."""

    is_cuda = True


def test_on_cuda_a_wrong_score_is_raised_by_a_later_call(monkeypatch):
    arrived = []

    class Event:
        def record(self):
            pass

        def query(self):
            return bool(arrived)

    monkeypatch.setattr(torch.cuda, 'Event', Event)
    as_scores(with_value(float('nan')).as_subclass(OnCuda))
    as_scores(ONE_HOT.as_subclass(OnCuda))
    arrived.append(True)
    with pytest.raises(ValueError, match=f'{ONE_TEXT}, got NaN or infinity'):
        as_scores(ONE_HOT.as_subclass(OnCuda))
    as_scores(ONE_HOT.as_subclass(OnCuda))


def test_a_mixer_can_be_pickled_and_copied(images):
    mixer = BATCH_AUGMENTS.build(dict(type='SampleMixup', num_classes=10))
    mixer._check_finite._pending.append(None)  # what a GPU's steps leave there
    twin = pickle.loads(pickle.dumps(mixer))
    assert not twin._check_finite._pending
    assert copy.deepcopy(mixer) is mixer
    torch.manual_seed(0)
    expected = twin(images, LABELS)
    torch.manual_seed(0)
    mixer._check_finite._pending.clear()
    assert torch.equal(mixer(images, LABELS)[0], expected[0])
