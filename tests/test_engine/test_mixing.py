"""Mixers that MMPretrain would pass over in silence: they mix, or the run ends before a step."""

from types import SimpleNamespace

import pytest
import torch
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmpretrain.registry import BATCH_AUGMENTS, DATASETS, MODELS
from mmpretrain.structures import DataSample, MultiTaskDataSample
from torch.utils.data import DataLoader

from mmtmix.engine.distillation import OnlineMixes
from mmtmix.engine.launch import build_runner
from mmtmix.engine.mixing import batch_sizes
from mmtmix.models import SampleMixup

pytestmark = pytest.mark.host

MIX = dict(augments=dict(type='CountedMixup'))
OFF = dict(augments=[dict(type='CountedMixup')], probs=[0.0])
HEAD = dict(type='LinearClsHead', num_classes=10, in_channels=64)


@BATCH_AUGMENTS.register_module(force=True)
class CountedMixup(SampleMixup):
    """Notes the images of each call."""

    calls = []

    def mix(self, *args):
        self.calls.append(len(args[0]))
        return super().mix(*args)


@DATASETS.register_module(force=True)
class TwoTasks(torch.utils.data.Dataset):
    """Images with a label for each of two tasks."""

    metainfo = dict(classes=('a', 'b'))

    def __len__(self):
        return 16

    def full_init(self):
        pass

    def __getitem__(self, index):
        sample = MultiTaskDataSample()
        for task in ('one', 'two'):
            sample.set_field(DataSample().set_gt_label(index % 2), task)
        return dict(inputs=torch.zeros(1, 28, 28, dtype=torch.uint8), data_samples=sample)


class Epochs(Hook):
    """Notes in each epoch how many batches were mixed, and whether labels were one-hot."""

    priority = 'VERY_LOW'

    def __init__(self):
        self.seen = []

    def before_train_epoch(self, runner):
        CountedMixup.calls.clear()

    def after_train_epoch(self, runner):
        onehot = runner.model.data_preprocessor.to_onehot
        self.seen.append((len(CountedMixup.calls), onehot))


@pytest.fixture
def make(tmp_path, forget_runs):
    """Make a Runner of 16 images: ``make(build=Runner.from_cfg, model={}, **settings)``."""

    def build(build=Runner.from_cfg, model=None, preprocessor=None, **settings):
        forget_runs()
        cfg = dict(
            model=dict(
                type='ImageClassifier',
                backbone=dict(type='WideResNet', depth=10, widen_factor=1, in_channels=1),
                neck=dict(type='GlobalAveragePooling'),
                head=HEAD,
            )
            | (model or {}),
            data_preprocessor=dict(type='ClsDataPreprocessor', num_classes=10, mean=[73], std=[90])
            | (preprocessor or {}),
            work_dir=str(tmp_path / 'run'),
            train_dataloader=dict(
                batch_size=8,
                num_workers=0,
                collate_fn=dict(type='default_collate'),
                sampler=dict(type='DefaultSampler', shuffle=True),
                dataset=dict(
                    type='FashionMNISTIdx', indices=16, pipeline=[dict(type='PackInputs')]
                ),
            ),
            train_cfg=dict(by_epoch=True, max_epochs=3),
            optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.01)),
            default_hooks=dict(checkpoint=None),
            default_scope='mmpretrain',
            log_level='ERROR',
            randomness=dict(seed=0),
            launcher='none',
        )
        # None takes a part out
        cfg['model'] = {name: part for name, part in cfg['model'].items() if part is not None}
        return build(Config(cfg | settings))

    return build


def schedule(*recipes):
    steps = [dict(action_epoch=epoch, batch_augments=recipe) for epoch, recipe in recipes]
    return [dict(type='SwitchRecipeHook', schedule=steps)]


def test_a_mixer_that_is_switched_on_later_mixes_in_a_plain_runner(make):
    watched = Epochs()
    # neither one-hot labels nor their number are in the config
    runner = make(preprocessor=dict(num_classes=None), custom_hooks=schedule((2, MIX), (3, None)))
    runner.register_hook(watched)
    runner.train()
    # labels are integers where nothing mixes: MMPretrain's loss takes no integer scores
    assert watched.seen == [(0, False), (2, True), (0, False)]


def test_a_mixer_that_is_switched_off_and_on_again_mixes(make):
    watched = Epochs()
    runner = make(model=dict(train_cfg=MIX), custom_hooks=schedule((2, None), (3, MIX)))
    runner.register_hook(watched)
    runner.train()
    assert watched.seen == [(2, True), (0, False), (2, True)]


def test_labels_that_the_config_wants_one_hot_stay_so(make):
    watched = Epochs()
    wanted = dict(to_onehot=True)
    runner = make(preprocessor=wanted, custom_hooks=schedule((1, OFF), (2, MIX)))
    runner.register_hook(watched)
    runner.train()
    assert watched.seen == [(0, True), (2, True), (2, True)]


@pytest.mark.parametrize(
    ('model', 'preprocessor', 'problem'),
    [
        (dict(head=dict(HEAD, cal_acc=True)), {}, 'have no accuracy; set cal_acc=False'),
        (
            dict(
                type='AugMixClassifier',
                data_preprocessor=dict(type='ViewsPreprocessor', num_classes=10),
            ),
            {},
            "'ViewsPreprocessor' applies no batch augments",
        ),
    ],
)
def test_models_that_can_not_take_a_mixer_later_are_refused_at_once(
    make, model, preprocessor, problem
):
    with pytest.raises(ValueError, match=problem):
        make(model=model, preprocessor=preprocessor, custom_hooks=schedule((2, MIX)))


def two_tasks():
    head = dict(type='LinearClsHead', num_classes=2)
    heads = dict(type='MultiTaskHead', task_heads=dict(one=head, two=head), in_channels=64)
    loader = dict(
        batch_size=8,
        num_workers=0,
        collate_fn=dict(type='default_collate'),
        sampler=dict(type='DefaultSampler', shuffle=True),
        dataset=dict(type='TwoTasks'),
    )
    return heads, loader


@pytest.mark.parametrize('later', [False, True])
def test_samples_of_several_tasks_are_refused_before_the_first_mixed_step(make, later):
    heads, loader = two_tasks()
    mixed = dict(custom_hooks=schedule((1, MIX))) if later else {}
    runner = make(
        model=dict(head=heads, train_cfg=None if later else MIX), train_dataloader=loader, **mixed
    )
    with pytest.raises(ValueError, match=r'samples are of several tasks.*leave .*augments'):
        runner.train()
    assert runner.iter == 0


def test_samples_without_labels_are_refused_in_training_alone():
    preprocessor = MODELS.build(
        dict(type='mmpretrain.ClsDataPreprocessor', num_classes=10, batch_augments=MIX)
    )
    images = torch.zeros(2, 1, 8, 8)
    for samples in ([DataSample(), DataSample()], None, []):
        with pytest.raises(ValueError, match='samples have no labels'):
            preprocessor(dict(inputs=images, data_samples=samples), training=True)
    data = preprocessor(dict(inputs=images, data_samples=[DataSample(), DataSample()]))
    assert torch.equal(data['inputs'], images)


@pytest.mark.parametrize(
    ('settings', 'problem'),
    [
        (
            dict(
                model=dict(
                    train_cfg=MIX,
                    data_preprocessor=dict(
                        num_classes=10,
                        batch_augments=dict(augments=dict(type='mmpretrain.Mixup', alpha=1.0)),
                    ),
                )
            ),
            r'set in model.train_cfg.augments and in model.data_preprocessor.batch_augments',
        ),
        (
            dict(
                model=dict(
                    train_cfg=MIX, data_preprocessor=dict(num_classes=10, batch_augments=None)
                )
            ),
            'CountedMixup in model.train_cfg.augments did not arrive',
        ),
        (
            dict(
                model=dict(data_preprocessor=dict(num_classes=10)),
                preprocessor=dict(batch_augments=MIX),
            ),
            'CountedMixup in data_preprocessor.batch_augments did not arrive',
        ),
        (
            dict(model=dict(train_cfg=dict(augments=dict(type='CountedMixup', num_mix=9)))),
            'num_mix=9 images per mix, and train_dataloader.batch_size=8',
        ),
        (
            dict(model=dict(type='ManifoldMixup', num_mix=9)),
            'ManifoldMixup has num_mix=9 images per mix, and train_dataloader.batch_size=8',
        ),
        (
            dict(
                custom_hooks=[
                    dict(
                        type='SwitchRecipeHook',
                        schedule=[dict(action_epoch=2, train_augments=MIX)],
                    )
                ]
            ),
            'passes over train_augments in silence',
        ),
        (
            dict(custom_hooks=schedule((2, MIX)), train_cfg=dict(by_epoch=False, max_iters=4)),
            'a training by iterations has one epoch',
        ),
    ],
)
def test_our_tools_refuse_mixers_that_would_never_mix(make, settings, problem):
    with pytest.raises(ValueError, match=problem):
        make(build_runner, **settings).train()


@pytest.mark.parametrize(
    ('settings', 'warning'),
    [
        (dict(model=dict(train_cfg=OFF)), 'has the probability 0 in all of the training'),
        (dict(custom_hooks=schedule((4, MIX))), 'has 3 epochs, counted from 1'),
    ],
)
def test_our_tools_warn_of_mixers_that_never_mix(make, settings, warning, capfd):
    runner = make(build_runner, log_level='WARNING', **settings)
    runner._train_loop = runner.build_train_loop(runner._train_loop)  # as before a run
    runner.call_hook('before_run')
    assert warning in capfd.readouterr().out


def test_a_batch_too_small_to_mix_is_warned_of_unless_a_larger_one_came(capfd, forget_runs):
    forget_runs()
    mixer, images, scores = SampleMixup(), torch.rand(2, 1, 4, 4), torch.eye(2)
    mixer(images[:1], scores[:1])
    assert 'smaller than num_mix=2 and is not mixed' in capfd.readouterr().out
    mixer(images, scores)
    mixer(images[:1], scores[:1])
    assert not capfd.readouterr().out


def test_a_search_with_a_last_batch_of_one_image_is_not_even_built(make, fitted_teacher):
    runner = make(
        model=dict(
            dict.fromkeys(('backbone', 'neck', 'head')),
            type='MixerSearch',
            teacher=fitted_teacher,
            mixer=dict(type='TransformMixer'),
        ),
        train_cfg=dict(type='MixerSearchLoop', max_epochs=1),
    )
    runner._train_dataloader.dataset.indices = 17
    with pytest.raises(ValueError, match=r'batches of 8 has 1 image.*set drop_last=True'):
        runner.build_train_loop(runner._train_loop)  # the first thing that train() does


def test_the_last_batch_is_what_is_left_unless_it_is_dropped():
    def sizes(images, **settings):
        return batch_sizes(DataLoader(range(images), **settings))

    assert sizes(17, batch_size=8) == (8, 1)
    assert sizes(17, batch_size=8, drop_last=True) == sizes(16, batch_size=8) == (8, 8)
    assert sizes(5, batch_size=8) == (8, 5)
    assert sizes(5, batch_sampler=[[0], [1, 2]]) is None


def test_a_student_refuses_mixes_of_more_images_than_a_batch(make, fitted_teacher):
    mixed = dict(augment=dict(type='SampleMixup', num_mix=9))
    hook = dict(type='DistillHook', teacher=fitted_teacher, preset='kd_mixed', mixed=mixed)
    with pytest.raises(ValueError, match='num_mix=9 images per mix, and .*batch_size=8'):
        make(custom_hooks=[hook]).train()


TOO_MANY = 'SuperMix has num_mix=4 images per mix, and the task has 3 classes'


@pytest.mark.parametrize('later', [False, True])
def test_more_images_per_mix_than_classes_are_refused_before_a_step(make, fitted_teacher, later):
    mixes = dict(augments=dict(type='SuperMix', teacher=fitted_teacher, num_mix=4))
    model = dict(head=dict(HEAD, num_classes=3))
    settings = dict(model=model | ({} if later else dict(train_cfg=mixes)))
    if later:
        settings['custom_hooks'] = schedule((2, mixes))
    with pytest.raises(ValueError, match=TOO_MANY):
        make(build_runner, preprocessor=dict(num_classes=3), **settings).train()


def test_a_student_refuses_more_images_per_mix_than_it_has_classes(fitted_teacher):
    mixes = OnlineMixes(dict(type='SuperMix', teacher=fitted_teacher, num_mix=4))
    loop = SimpleNamespace(dataloader=DataLoader(range(8), batch_size=8))
    mixes.prepare(SimpleNamespace(train_loop=loop), 4, False)
    with pytest.raises(ValueError, match=TOO_MANY):
        mixes.prepare(SimpleNamespace(train_loop=loop), 3, False)
