"""SuperMix in a classifier that trains, and the teacher that it shares with its neighbours."""

import copy
import gc
import os
import weakref

import pytest
import torch
from mmengine.config import Config
from mmengine.logging import MessageHub
from mmengine.model import MMDistributedDataParallel
from mmengine.optim import OptimWrapper
from mmpretrain.models.utils.batch_augments import RandomBatchAugment
from mmpretrain.registry import BATCH_AUGMENTS, MODELS
from mmpretrain.structures import DataSample

pytestmark = pytest.mark.host


@pytest.fixture
def classifier(teacher_args, teacher_config):
    """A classifier that trains with SuperMix; its teacher's inputs are normalised otherwise."""
    config = teacher_config()
    normalised = dict(mean=[100.0, 110.0, 120.0], std=[55.0, 50.0, 45.0])
    stats = dict(normalised, channel_order='rgb')
    teacher = dict(teacher_args(), input_stats=stats, channel_order='rgb')
    augment = dict(type='SuperMix', teacher=teacher, max_iters=2, min_iters=1)
    model = dict(config['model'], train_cfg=dict(augments=augment), _scope_='mmpretrain')
    return MODELS.build(dict(model, data_preprocessor=dict(normalised, num_classes=10)))


@pytest.fixture
def samples():
    """What a data loader gives: raw images and their labels."""
    labels = [DataSample().set_gt_label(label) for label in (3, 1, 4, 0)]
    return dict(inputs=torch.randint(256, (4, 3, 16, 16), dtype=torch.uint8), data_samples=labels)


def augment_of(classifier):
    return classifier.data_preprocessor.batch_augments.augments[0]


def test_mixing_touches_no_gradient_and_no_weight(classifier, samples):
    teacher = augment_of(classifier).teacher.model
    parameters = [*classifier.parameters()]
    for number, parameter in enumerate(parameters):
        parameter.grad = torch.full_like(parameter, number)
    before = copy.deepcopy([classifier.state_dict(), teacher.state_dict()])
    mixed = classifier.data_preprocessor(samples, training=True)
    assert not mixed['inputs'].requires_grad
    for number, parameter in enumerate(parameters):
        assert (parameter.grad == number).all()
    assert all(parameter.grad is None for parameter in teacher.parameters())
    after = [classifier.state_dict(), teacher.state_dict()]
    for old, new in zip(before, after, strict=True):
        assert all(torch.equal(old[name], value) for name, value in new.items())


def trains(model, classifier, samples):
    """Take a step; return whether the loss is finite and the parameters moved."""
    before = [parameter.detach().clone() for parameter in classifier.parameters()]
    optimizer = OptimWrapper(torch.optim.SGD(classifier.parameters(), lr=0.1))
    loss = model.train_step(samples, optimizer)['loss']
    moved = zip(before, classifier.parameters(), strict=True)
    return loss.isfinite().item() and any(not torch.equal(a, b) for a, b in moved)


def test_a_classifier_trains_with_it_and_keeps_it_out_of_its_state(
    classifier, samples, teacher_config
):
    assert trains(classifier, classifier, samples)
    plain = MODELS.build(dict(teacher_config()['model'], _scope_='mmpretrain'))
    assert classifier.state_dict().keys() == plain.state_dict().keys()
    assert augment_of(copy.deepcopy(classifier)) is augment_of(classifier)


def test_a_distributed_classifier_trains_with_it(classifier, samples, tmp_path):
    store = torch.distributed.FileStore(str(tmp_path / 'store'), 1)
    torch.distributed.init_process_group('gloo', store=store, rank=0, world_size=1)
    try:
        assert trains(MMDistributedDataParallel(classifier), classifier, samples)
    finally:
        torch.distributed.destroy_process_group()


def test_a_teacher_that_was_used_in_inference_mode_can_be_trained_with(classifier, samples):
    with torch.inference_mode():
        augment_of(classifier).teacher(torch.randn(2, 3, 16, 16))
    assert trains(classifier, classifier, samples)


@pytest.fixture
def build(make_mixer):
    """Build both mixers from a config, each with a teacher dict of its own."""

    def make(teacher, other=None):
        mixers = [
            dict(type='TransformMix', teacher=teacher, mixer=make_mixer()),
            dict(type='SuperMix', teacher=copy.deepcopy(other or teacher), max_iters=1),
        ]
        return RandomBatchAugment(mixers, probs=[0.5, 0.5]).augments[:2]

    return make


def test_mixers_of_one_run_share_a_teacher(build, teacher_args, make_batch):
    args = teacher_args()
    first, second = build(args)
    assert first.teacher is second.teacher
    assert copy.deepcopy(second).teacher is first.teacher
    backwards = dict(reversed(args.items()))
    read = Config(dict(teacher=args)).teacher  # as a config file has it
    for same in (backwards, read):
        assert BATCH_AUGMENTS.build(dict(type='SuperMix', teacher=same)).teacher is first.teacher
    for augment in (first, second, first):
        assert augment(*make_batch())[0].isfinite().all()


@pytest.mark.parametrize(
    'other',
    [dict(dtype='bfloat16'), dict(input_stats=dict(mean=[1.0], std=[2.0])), dict(saliency='cam')],
)
def test_teachers_of_other_settings_are_others(build, teacher_args, other):
    args = teacher_args()
    first, second = build(args, dict(args, **other))
    assert first.teacher is not second.teacher


def test_teachers_of_other_files_are_others(build, teacher_args):
    first, second = build(teacher_args(), teacher_args())
    assert first.teacher is not second.teacher


def test_a_checkpoint_that_was_written_anew_is_read_anew(build, teacher_args):
    args = teacher_args()
    first, _ = build(args)
    first.load()
    weights = torch.load(args['checkpoint'])
    weights['state_dict']['head.fc.bias'] += 1
    torch.save(weights, args['checkpoint'])
    os.utime(args['checkpoint'], ns=(0, 1))  # a clock may be too coarse to tell
    second, third = build(args)
    assert second.teacher is third.teacher is not first.teacher
    bias = second.teacher.model.head.fc.bias
    torch.testing.assert_close(bias, first.teacher.model.head.fc.bias + 1)


def test_another_run_has_a_teacher_of_its_own(build, teacher_args):
    args = teacher_args()
    first, _ = build(args)
    first.load()
    MessageHub.get_instance('another run')
    second, _ = build(args)
    assert first.teacher is not second.teacher


def test_a_teacher_goes_with_the_last_mixer_that_uses_it(build, teacher_args, make_batch):
    first, second = build(teacher_args())
    second(*make_batch())
    teacher = weakref.ref(first.teacher)
    del first
    gc.collect()
    assert teacher() is second.teacher
    del second
    gc.collect()
    assert teacher() is None
