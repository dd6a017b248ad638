"""Real searches on a few images: what they write, refuse and repeat."""

import json
from pathlib import Path

import pytest
import torch
from mmengine.hooks import Hook
from mmengine.runner import EpochBasedTrainLoop, Runner
from mmpretrain.registry import MODELS

from mmtmix.engine import FiniteStopHook
from mmtmix.evaluation import MixQuality
from mmtmix.models import FrozenTeacher, load_mixer
from mmtmix.models.teachers import InputStats

METHODS = ('transformmix', 'mixup', 'cutmix')
EMA = dict(type='EMAHook', ema_type='ExponentialMovingAverage', momentum=0.3)
WARM_UP = dict(type='LinearLR', start_factor=0.1, by_epoch=False, begin=0, end=4)


def mixer_weights(state):
    return {name[6:]: value for name, value in state.items() if name.startswith('mixer.')}


def assert_same(left, right):
    assert left.keys() == right.keys()
    for name, value in left.items():
        assert torch.equal(value, right[name]), name


def differ(left, right):
    return any(not torch.equal(value, right[name]) for name, value in left.items())


@pytest.fixture(scope='module')
def searched(tmp_path_factory, search_runner):
    """One search with every part of MMEngine that a search may meet."""
    runner = search_runner(
        tmp_path_factory.mktemp('searched'),
        custom_hooks=[EMA],
        param_scheduler=WARM_UP,
        default_hooks=dict(checkpoint=dict(save_best='mix/transformmix/ce', rule='less')),
    )
    teacher = runner.model.teacher.model
    runner.before = {name: value.clone() for name, value in teacher.state_dict().items()}
    runner.start = {name: value.clone() for name, value in runner.model.state_dict().items()}
    runner.train()
    runner.folder = Path(runner.work_dir)
    return runner


def test_teacher_is_bit_identical_after_a_search(searched):
    teacher = searched.model.teacher.model
    assert_same(searched.before, teacher.state_dict())
    assert all(weight.grad is None for weight in teacher.parameters())
    assert not any(layer.training for layer in teacher.modules())


def test_no_file_has_a_teacher_key(searched):
    files = sorted(searched.folder.glob('*.pth'))
    names = [file.name for file in files]
    assert {'epoch_2.pth', 'last.pth', 'mixer.pth'} < set(names)
    assert any(name.startswith('best_mix_transformmix_ce') for name in names)
    own = {name for name, _ in searched.model.named_parameters()}
    for file in files:
        content = torch.load(file, weights_only=False)
        for field in ('state_dict', 'ema_state_dict'):
            keys = {key.removeprefix('module.') for key in content.get(field, {})}
            keys = {f'mixer.{key}' for key in keys} if file.name == 'mixer.pth' else keys
            assert keys - {'steps'} <= own
        if 'optimizer' in content:
            assert len(content['optimizer']['state']) == len(own)


def test_mixer_file_holds_the_moving_average(searched):
    (ema,) = [hook for hook in searched.hooks if type(hook).__name__ == 'EMAHook']
    average = mixer_weights(ema.ema_model.module.state_dict())
    exported = load_mixer(searched.folder / 'mixer.pth').state_dict()
    assert_same(exported, average)
    assert differ(exported, mixer_weights(searched.model.state_dict()))
    last = torch.load(searched.folder / 'last.pth', weights_only=False)
    assert_same(exported, mixer_weights(last['state_dict']))


def test_mixer_file_loads_safely_and_says_where_it_is_from(searched, fitted_teacher):
    content = torch.load(searched.folder / 'mixer.pth', weights_only=True)
    said = content['searched_on']
    assert (said['dataset'], said['num_images']) == ('FashionMNISTIdx', 64)
    assert (said['epochs'], said['iters'], said['alpha']) == (2, 4, 1.0)
    assert said['teacher_checkpoint'] == fitted_teacher['checkpoint']
    assert content['arch']['cam_size'] == 28


def test_mixer_is_trained_with_schedule_and_clipping(searched):
    assert differ(searched.start, searched.model.state_dict())
    rates = searched.message_hub.get_scalar('train/lr').data[0]
    assert list(rates) == pytest.approx([1e-4, 4e-4, 7e-4, 1e-3])
    norms = searched.message_hub.get_scalar('train/grad_norm').data[0]
    assert len(norms) == 4 and all(norms > 0)
    assert type(searched.optim_wrapper).__name__ == 'AutocastOptimWrapper'
    assert isinstance(searched.train_loop, EpochBasedTrainLoop)


def test_quality_is_measured_beside_mixup_and_cutmix(searched):
    lines = next(searched.folder.glob('*/vis_data/scalars.json')).read_text().splitlines()
    measured = [line for line in map(json.loads, lines) if 'mix/mixup/ce' in line]
    assert len(measured) == 2
    for line in measured:
        for method in METHODS:
            assert line[f'mix/{method}/ce'] > 0
            assert 0 <= line[f'mix/{method}/top_k'] <= 100
    first, second = measured
    # the same pairs and weights every time, so only the learned mix changes
    for method in METHODS[1:]:
        assert first[f'mix/{method}/ce'] == second[f'mix/{method}/ce']
    assert first['mix/transformmix/ce'] != second['mix/transformmix/ce']


def test_a_search_with_all_terms_logs_each(tmp_path, search_runner, fitted_teacher):
    options = {
        'model.hard_for': dict(teacher=fitted_teacher, beta=0.3),
        'model.diversity': 0.1,
        'model.labels': 'visible',
    }
    runner = search_runner(tmp_path, epochs=1, **options)
    early = runner.model.hard_for.teacher.model
    before = {name: value.clone() for name, value in early.state_dict().items()}
    runner.train()
    assert_same(before, early.state_dict())
    lines = next(tmp_path.glob('*/vis_data/scalars.json')).read_text().splitlines()
    steps = [line for line in map(json.loads, lines) if 'loss' in line]
    assert len(steps) == 2
    for step in steps:
        terms = [step[f'loss_{name}'] for name in ('teacher', 'hard', 'diversity')]
        assert step['loss'] == pytest.approx(sum(terms), abs=1e-3)
        assert step['loss_hard'] < 0 < step['loss_diversity'] <= 1
        assert 0 <= step['labels_moved'] <= 1
        assert 0 <= step['theta_image_share'] <= 1
    # a new transformer ignores z until the teacher's loss has moved it
    assert steps[0]['masks_apart'] == 0 < steps[1]['masks_apart']
    # the second network is the teacher itself here; losses are means over the steps so far
    assert steps[0]['hard_mixed_ce'] == pytest.approx(steps[0]['loss_teacher'], abs=1e-3)
    state = torch.load(tmp_path / 'last.pth', weights_only=False)['state_dict']
    own = load_mixer(tmp_path / 'mixer.pth').state_dict()
    assert state.keys() == {f'mixer.{name}' for name in own}


def test_early_stopping_ends_the_search_which_exports_and_warns(
    tmp_path, search_runner, monkeypatch
):
    def process_worse(metric, batch, samples):
        for sample in samples:
            sample['mix_quality']['transformmix/ce'] += 9.0
        process(metric, batch, samples)

    process = MixQuality.process
    monkeypatch.setattr(MixQuality, 'process', process_worse)
    stop = dict(
        type='EarlyStoppingHook',
        monitor='mix/transformmix/ce',
        rule='less',
        min_delta=100.0,
        patience=1,
    )
    runner = search_runner(tmp_path, epochs=9, custom_hooks=[stop])
    warned = []
    monkeypatch.setattr(runner.logger, 'warning', warned.append)
    runner.train()
    assert runner.epoch == 2
    (text,) = [text for text in warned if 'The teacher recognises' in text]
    assert 'nats on 64 mixes' in text and "mixer='mmtmix://fashionmnist_k2'" in text
    content = torch.load(tmp_path / 'mixer.pth', weights_only=True)
    assert content['searched_on']['epochs'] == 2
    assert (tmp_path / 'last.pth').exists()


@pytest.mark.host
@pytest.mark.parametrize('num_workers', [0, 2])
def test_resumed_search_equals_an_unbroken_one(tmp_path, search_runner, stop_before, num_workers):
    def search(folder, *hooks, **options):
        settings = dict(custom_hooks=[EMA], param_scheduler=WARM_UP, **options)
        runner = search_runner(tmp_path / folder, 3, num_workers, **settings)
        for hook in hooks:
            runner.register_hook(hook)
        runner.train()
        return runner

    unbroken = search('unbroken')
    with pytest.raises(KeyboardInterrupt):
        search('broken', stop_before(epoch=1))
    assert not (tmp_path / 'broken' / 'mixer.pth').exists()
    resumed = search('broken', resume=True)
    assert_same(unbroken.model.state_dict(), resumed.model.state_dict())
    files = [load_mixer(tmp_path / name / 'mixer.pth') for name in ('unbroken', 'broken')]
    assert_same(files[0].state_dict(), files[1].state_dict())


def test_teacher_at_chance_is_refused_before_any_step(tmp_path, search_runner):
    runner = search_runner(tmp_path)
    with torch.no_grad():
        runner.model.teacher.model.head.fc.weight.zero_()
    start = {name: value.clone() for name, value in runner.model.state_dict().items()}
    with pytest.raises(RuntimeError, match=r'of 64 training images right.*no better than chance'):
        runner.train()
    assert_same(start, runner.model.state_dict())
    assert runner.iter == 0
    assert not list(tmp_path.glob('*.pth'))


def test_non_finite_search_keeps_the_last_good_state_and_exports_nothing(tmp_path, search_runner):
    class Spoil(Hook):
        def before_train_iter(self, runner, batch_idx, data_batch=None):
            if runner.iter == 3:
                runner.model.mixer.log_temperature.data.fill_(float('nan'))

    runner = search_runner(tmp_path, train_cfg=dict(finite_interval=1))
    runner.register_hook(Spoil())
    with pytest.raises(RuntimeError, match='after iteration 3, .* in .*last_good.pth'):
        runner.train()
    assert sum(isinstance(hook, FiniteStopHook) for hook in runner.hooks) == 1
    good = torch.load(tmp_path / 'last_good.pth', weights_only=True)
    assert all(value.isfinite().all() for value in good['state_dict'].values())
    assert not {'mixer.pth', 'last.pth', 'epoch_2.pth'} & {f.name for f in tmp_path.iterdir()}


def test_model_that_is_no_search_is_an_error(tmp_path, search_runner, fitted_teacher):
    model = dict(fitted_teacher['config']['model'], _delete_=True)
    runner = search_runner(tmp_path, model=model)
    with pytest.raises(TypeError, match=r"trains model=dict\(type='MixerSearch'\).*ImageClassif"):
        runner.train()


@pytest.mark.parametrize('as_object', [False, True])
def test_a_search_of_a_runner_without_a_config_is_exported(
    tmp_path, search_runner, fitted_teacher, forget_runs, as_object
):
    cfg = search_runner(tmp_path, epochs=1).cfg
    forget_runs()
    cfg.model.data_preprocessor = cfg.data_preprocessor
    if as_object:  # the model as well as its teacher
        stats = InputStats.from_config(cfg)
        cfg.model.teacher = FrozenTeacher(**fitted_teacher, input_stats=stats)
        cfg.model = MODELS.build(dict(cfg.model, _scope_='mmpretrain'))
    parts = ('model', 'train_dataloader', 'train_cfg', 'optim_wrapper', 'default_scope')
    settings = {name: cfg[name] for name in parts}
    runner = Runner(work_dir=str(tmp_path), log_level='ERROR', **settings)
    runner.train()
    content = torch.load(tmp_path / 'mixer.pth', weights_only=True)
    assert content['searched_on']['teacher_config'] == ''  # it is a dict
    assert content['searched_on']['teacher_checkpoint'] == fitted_teacher['checkpoint']


def test_a_search_without_a_look_at_its_teacher_is_refused(tmp_path, search_runner):
    runner = search_runner(tmp_path, train_cfg=dict(teacher_batches=0))
    with pytest.raises(ValueError, match='teacher_batches must be an integer >= 1, got 0'):
        runner.train()
