"""What a rehearsal of all stages finds, before the first one runs."""

import random
from contextlib import nullcontext
from copy import deepcopy
from functools import cache

import numpy as np
import pytest
import torch
from mmengine.hooks import Hook
from mmengine.runner import EpochBasedTrainLoop
from mmpretrain.registry import HOOKS, LOOPS

from mmtmix.apps.train.rehearsal import rehearse
from mmtmix.apps.train.rehearsal.model import augments_of
from mmtmix.apps.train.rehearsal.stand_ins import leaving_no_trace
from mmtmix.engine.launch import set_loader_defaults
from mmtmix.engine.stages import plan_stages
from mmtmix.models import SampleMixup
from mmtmix.utils import default_work_dir, load_config

pytestmark = pytest.mark.host

DEMO = 'configs/transformmix/wrn10_fashionmnist_demo.py'
OFFLINE = 'configs/supermix/offline_wrn16_fashionmnist_mini.py'
TEACHER, SEARCH, NAMED = range(3)


@cache
def read(config):
    cfg = load_config(config)
    cfg.work_dir = default_work_dir(config)
    return plan_stages(config, cfg)


def planned(config=DEMO, changes=None):
    """Plan a config's stages with changes of theirs: ``planned(DEMO, {NAMED: {'a.b': 1}})``."""
    stages = deepcopy(read(config))
    for number, options in (changes or {}).items():
        for name, value in options.items():
            assign(stages[number].cfg, name, value)
    for stage in stages:
        set_loader_defaults(stage.cfg)
    return stages


@pytest.fixture
def plan(tmp_path, monkeypatch):
    """As :func:`planned`, in a folder where nothing is done yet."""

    def make(config=DEMO, changes=None):
        stages = planned(config, changes)
        monkeypatch.chdir(tmp_path)
        return stages

    return make


def assign(cfg, name, value):
    *folders, last = name.split('.')
    for folder in folders:
        cfg = cfg[int(folder) if folder.isdigit() else folder]
    cfg[last] = value


AUGMENT = 'model.train_cfg.augments'
CUT = dict(type='RandomResizedCrop', scale=8)
RESIDENT = dict(
    type='ResidentDataset',
    dataset=dict(type='FashionMNISTIdx', pipeline=[CUT, dict(type='PackInputs')]),
)
WRONG = [
    (NAMED, 'train_dataloader.dataset', RESIDENT, 'train_dataloader.dataset', 'RandomResizedCrop'),
    (NAMED, f'{AUGMENT}.alhpa', 1.0, AUGMENT, 'alhpa'),
    (NAMED, f'{AUGMENT}.num_mix', 1, AUGMENT, 'num_mix must be'),
    (NAMED, f'{AUGMENT}.alpha', -1.0, AUGMENT, 'alpha must be'),
    (NAMED, f'{AUGMENT}.cam_class', 'none', AUGMENT, 'cam_class must be one of'),
    (NAMED, f'{AUGMENT}.type', 'TransformMx', AUGMENT, "did you mean 'TransformMix'"),
    (NAMED, f'{AUGMENT}.teacher', {'config': DEMO}, AUGMENT, 'checkpoint'),
    (NAMED, 'model.train_cfg.probs', [0.5, 0.5, 0.5], 'model', ''),
    (NAMED, 'model.type', 'ImageClasifier', 'model', 'ImageClasifier is not in the'),
    (NAMED, 'model.backbone.type', 'WideResnet', 'model.backbone', 'WideResnet is not in the'),
    (NAMED, 'model.backbone.depht', 10, 'model.backbone', 'depht'),
    (NAMED, 'model.backbone.depth', 11, 'model.backbone', 'depth'),
    (NAMED, 'model.head.num_classes', -3, 'model.head', ''),
    (NAMED, 'model.head.loss', dict(type='NoLoss'), 'model.head', 'NoLoss is not in the'),
    (NAMED, 'data_preprocessor.num_clases', 10, 'model', 'num_clases'),
    (NAMED, 'optim_wrapper.type', 'OptimWraper', 'optim_wrapper', 'OptimWraper is not in the'),
    (NAMED, 'optim_wrapper.optimizer.type', 'SDG', 'optim_wrapper', 'SDG is not in the'),
    (NAMED, 'optim_wrapper.optimizer.lrr', 1, 'optim_wrapper', 'lrr'),
    (NAMED, 'optim_wrapper.optimizer.lr', -1.0, 'optim_wrapper', 'Invalid learning rate: -1.0'),
    (NAMED, 'optim_wrapper.clip_grad', dict(type='hope'), 'optim_wrapper', 'hope'),
    (NAMED, 'param_scheduler', [dict(type='CosinLR')], 'param_scheduler[0]', 'CosinLR is not in'),
    (NAMED, 'param_scheduler', dict(type='StepLR', step=3), 'param_scheduler', "'step'"),
    (NAMED, 'param_scheduler', 0.1, 'param_scheduler', 'should be a'),
    (NAMED, 'train_cfg.max_epoch', 2, 'train_cfg', 'max_epoch'),
    (NAMED, 'train_cfg.max_epochs', 0, 'train_cfg', 'max_epochs must be an integer >= 1'),
    (NAMED, 'train_cfg', dict(type='EpochLoop', max_epochs=1), 'train_cfg', 'EpochLoop is not'),
    (NAMED, 'val_cfg', dict(fp15=True), 'val_cfg', 'fp15'),
    (NAMED, 'val_cfg', None, 'val_cfg', 'must be given beside val_dataloader, val_evaluator'),
    (NAMED, 'val_evaluator', dict(type='Acuracy'), 'val_evaluator', 'Acuracy is not in the'),
    (NAMED, 'test_evaluator', dict(type='Accuracy', top=1), 'test_evaluator', "'top'"),
    (NAMED, 'default_hooks.logger.intervall', 1, 'default_hooks.logger', 'intervall'),
    (NAMED, 'default_hooks.checkpoint.type', 'CheckpntHook', 'default_hooks.checkpoint', 'Checkp'),
    (NAMED, 'custom_hooks', [dict(type='EMAHook', momentum=2)], 'custom_hooks[0]', 'momentum'),
    (NAMED, 'custom_hooks', [dict(type='NoHook')], 'custom_hooks[0]', 'NoHook is not in the'),
    (NAMED, 'custom_hooks', ['EMAHook'], 'custom_hooks[0]', 'should be an instance of Hook'),
    (
        NAMED,
        'custom_hooks',
        [dict(type='DistillHook', preset='kd', teacher=dict(chekpoint='x.pth'))],
        'custom_hooks[0].teacher',
        'chekpoint',
    ),
    (NAMED, 'visualizer.type', 'NoVisualizer', 'visualizer', 'NoVisualizer is not in the'),
    (NAMED, 'visualizer.vis_backends', [dict(type='X')], 'visualizer.vis_backends[0]', 'X is not'),
    (NAMED, 'log_processor', dict(window=3), 'log_processor', "'window'"),
    (NAMED, 'train_dataloader.batchsize', 2, 'train_dataloader', 'batchsize'),
    (NAMED, 'train_dataloader.batch_size', -2, 'train_dataloader', 'batch_size'),
    (NAMED, 'train_dataloader.num_workers', -2, 'train_dataloader', 'num_workers'),
    (NAMED, 'train_dataloader.sampler.type', 'NoSampler', 'train_dataloader', 'NoSampler is not'),
    (NAMED, 'train_dataloader.sampler.shuffel', True, 'train_dataloader', 'shuffel'),
    (NAMED, 'train_dataloader.dataset.type', 'NoSet', 'train_dataloader.dataset', 'NoSet is not'),
    (NAMED, 'train_dataloader.dataset.splt', 'test', 'train_dataloader.dataset', 'splt'),
    (
        NAMED,
        'train_dataloader.dataset.pipeline',
        [dict(type='RandomCrop', crop_sise=3)],
        'train_dataloader.dataset.pipeline[0]',
        'crop_sise',
    ),
    (
        NAMED,
        'val_dataloader.dataset.pipeline',
        [dict(type='NoTransform')],
        'val_dataloader.dataset.pipeline[0]',
        'NoTransform is not in the',
    ),
    (NAMED, 'load_from', 'nowhere.pth', 'load_from', "'nowhere.pth' does not exist"),
    (
        NAMED,
        f'{AUGMENT}.teacher.checkpoint',
        'nowhere.pth',
        f'{AUGMENT}.teacher',
        "the teacher's checkpoint 'nowhere.pth' does not exist",
    ),
    (SEARCH, 'model.mixer.transform', 'bend', 'model.mixer', 'transform'),
    (SEARCH, 'model.teacher.saliency', 'cams', 'model.teacher', 'saliency'),
    (SEARCH, 'train_cfg.teacher_batches', 0, 'train_cfg', 'teacher_batches must be'),
    (TEACHER, 'optim_wrapper.optimizer.momentun', 1, 'optim_wrapper', 'momentun'),
    (
        TEACHER,
        'param_scheduler.eta_max',
        float('nan'),
        'param_scheduler.eta_max',
        'must be a finite number',
    ),
    (
        TEACHER,
        'default_hooks.checkpoint.interval',
        'often',
        'default_hooks.checkpoint',
        'interval must be an integer',
    ),
]


@pytest.fixture(scope='module')
def said(tmp_path_factory):
    """The lines of a rehearsal for each of what is wrong; several things are wrong in each one."""
    groups = []
    needing_the_model = ('model', 'optim_wrapper', 'custom_hooks', 'data_preprocessor')
    for row in WRONG:
        part = row[1].split('.')[0]
        # a model that is not built hides what is wrong with what needs it
        key = (row[0], 'model' if row[0] == SEARCH or part in needing_the_model else part)
        group = next((group for group in groups if key not in group), None)
        if group is None:
            groups.append(group := {})
        group[key] = row
    found = {}
    with pytest.MonkeyPatch.context() as patch:
        read(DEMO)
        patch.chdir(tmp_path_factory.mktemp('rehearsal'))
        for group in groups:
            changes = {}
            for stage, name, value, *_ in group.values():
                changes.setdefault(stage, {})[name] = value
            with pytest.raises((ValueError, TypeError, FileNotFoundError)) as error:
                rehearse(planned(DEMO, changes))
            lines = str(error.value).splitlines()
            assert len(lines) == len(group)  # and nothing else
            found |= {(row[0], row[1], str(row[2])): lines for row in group.values()}
    return found


@pytest.mark.parametrize(
    ('stage', 'name', 'value', 'field', 'word'), WRONG, ids=[f'{row[1]}={row[2]}' for row in WRONG]
)
def test_what_is_wrong_is_named_with_its_config_and_field(said, stage, name, value, field, word):
    lines = said[stage, name, str(value)]
    (line,) = (line for line in lines if line.startswith(f'{read(DEMO)[stage].config}: {field}: '))
    assert word in line


def test_the_errors_of_all_stages_come_at_once(plan):
    changes = {
        TEACHER: {'optim_wrapper.optimizer.type': 'SDG'},
        SEARCH: {'model.mixer.transform': 'bend'},
        NAMED: {f'{AUGMENT}.num_mix': 1, 'default_hooks.logger.intervall': 1},
    }
    stages = plan(DEMO, changes)
    with pytest.raises(ValueError) as error:
        rehearse(stages)
    lines = str(error.value).splitlines()
    configs = [stages[number].config for number in (TEACHER, SEARCH, NAMED, NAMED)]
    assert [line.split(': ')[0] for line in lines] == configs


def required(stages, produces):
    """The demo's teacher has another product, which the other two require."""
    stages[TEACHER].produces = produces
    return stages


def test_a_strategy_that_breaks_a_stage_is_refused(plan):
    changes = {'runner_type': 'FlexibleRunner', 'strategy': dict(type='FSDPStrategy')}
    with pytest.raises(ValueError, match='strategy: model: MixerSearch exports the mixing module'):
        rehearse(plan(changes={SEARCH: changes}))
    rehearse(plan(changes={NAMED: changes}))


def test_a_product_that_no_hook_writes_is_refused(plan):
    stages = required(plan(), 'work_dirs/simple/demo/final.pth')
    stages[TEACHER].cfg.work_dir = 'work_dirs/simple/demo'
    with pytest.raises(ValueError, match=r'requires: produces=.*final\.pth.*writes last\.pth'):
        rehearse(stages[:1])
    hook = dict(type='LastCheckpointHook', filename='final.pth')
    stages[TEACHER].cfg.default_hooks.last_checkpoint = hook
    rehearse(stages[:1])


@pytest.mark.parametrize(('name', 'is_written'), [('epoch_16.pth', True), ('epoch_17.pth', False)])
def test_a_checkpoint_of_an_epoch_is_a_product_if_the_run_is_that_long(plan, name, is_written):
    stages = required(plan(DEMO, {TEACHER: {'train_cfg.max_epochs': 16}}), f'work/{name}')
    if is_written:
        rehearse(stages[:1])
    else:
        with pytest.raises(ValueError, match='does not write'):
            rehearse(stages[:1])


@pytest.mark.parametrize(
    ('options', 'name', 'is_refused'),
    [
        (dict(filename_tmpl='e{}.pth'), 'e3.pth', False),
        (dict(filename_tmpl='e{}.pth'), 'epoch_3.pth', True),
        (dict(published_keys=['meta']), 'epoch_3-12345678.pth', False),
    ],
)
def test_checkpoints_may_have_names_of_their_own(plan, options, name, is_refused):
    stages = required(plan(), f'work/{name}')
    stages[TEACHER].cfg.default_hooks.checkpoint.update(options)
    with pytest.raises(ValueError, match='does not write') if is_refused else nullcontext():
        rehearse(stages[:1])


def test_a_product_of_another_name_than_the_search_exports_is_refused(plan):
    stages = plan(DEMO, {SEARCH: {'train_cfg.mixer_name': 'module.pth'}})
    with pytest.raises(ValueError, match=r"mixer\.pth' names a file .* last\.pth and module\.pth"):
        rehearse(stages)


def test_what_a_hook_of_others_writes_is_not_known(plan):
    @HOOKS.register_module(force=True)
    class WritesSomething(Hook):
        pass

    stages = required(plan(), 'work_dirs/simple/demo/final.pth')
    stages[TEACHER].cfg.custom_hooks = [dict(type='WritesSomething')]
    rehearse(stages[:1])


def test_a_product_in_the_way_is_refused(plan, tmp_path):
    stages = plan()
    (tmp_path / stages[TEACHER].produces).mkdir(parents=True)
    with pytest.raises(ValueError, match='is a folder, where the file of configs/simple'):
        rehearse(stages)


def test_a_work_dir_that_is_a_file_is_refused(plan, tmp_path):
    stages = plan()
    folder = tmp_path / stages[TEACHER].cfg.work_dir
    folder.parent.mkdir(parents=True)
    folder.touch()
    with pytest.raises(ValueError, match=r'needs the folder .* which is a file'):
        rehearse(stages)


def test_two_runs_in_one_folder_are_refused(plan):
    stages = plan()
    stages[NAMED].cfg.work_dir = stages[TEACHER].cfg.work_dir
    with pytest.raises(ValueError, match=r'is that of configs/simple/wrn10_fashionmnist_demo\.py'):
        rehearse(stages)


@pytest.mark.parametrize(
    ('mixer', 'num_mix', 'said'),
    [
        ({}, 3, 'num_mix is 2 in configs/transformmix/search_wrn10_fashionmnist_demo.py and 3'),
        (dict(cam_size=5), 2, 'cam_size is '),
    ],
)
def test_a_mixer_that_is_searched_otherwise_than_used_is_refused(plan, mixer, num_mix, said):
    stages = plan(DEMO, {NAMED: {f'{AUGMENT}.num_mix': num_mix}})
    augment = stages[NAMED].cfg.model.train_cfg.augments
    if mixer:
        augment.mixer = dict(type='TransformMixer', checkpoint=augment.mixer, **mixer)
    with pytest.raises(ValueError) as error:
        rehearse(stages)
    assert said in str(error.value)


@pytest.mark.parametrize(
    ('mixer', 'said'),
    [
        ('mmtmix://fashionmnist_k2', None),
        ('mmtmix://fashionmnist_k9', 'does not come with mmtmix'),
        ('mmtmix://fashionmnist_k3', 'num_mix'),
        ('mmtmix://wrn10_fashionmnist_demo', 'no mixer file'),
        (
            dict(type='TransformMixer', checkpoint='mmtmix://fashionmnist_k2', cam_size=5),
            'cam_size',
        ),
    ],
)
def test_a_module_of_the_package_is_known_before_anything_runs(plan, mixer, said):
    stages = plan(DEMO, {NAMED: {f'{AUGMENT}.mixer': mixer}})
    with pytest.raises(ValueError, match=said) if said else nullcontext():
        rehearse(stages)


@pytest.mark.parametrize('place', ['load_from', f'{AUGMENT}.teacher.checkpoint'])
def test_a_checkpoint_of_the_package_is_known_before_anything_runs(plan, place):
    rehearse(plan(DEMO, {NAMED: {place: 'mmtmix://wrn10_fashionmnist_demo'}}))
    with pytest.raises(ValueError, match='does not come with mmtmix'):
        rehearse(plan(DEMO, {NAMED: {place: 'mmtmix://wrn11'}}))


def test_numbers_of_classes_must_agree(plan):
    stages = plan(DEMO, {NAMED: {'model.head.num_classes': 9}})
    stages[NAMED].cfg.data_preprocessor.num_classes = 9
    stages[NAMED].cfg.train_dataloader.dataset.indices = None
    with pytest.raises(ValueError) as error:
        rehearse(stages)
    first, second = str(error.value).splitlines()
    assert 'model.head: train_dataloader has 10 classes and the model 9' in first
    assert f'{AUGMENT}.teacher: the teacher' in second
    assert 'has 10 classes and the task has 9' in second
    # the maps of its own predictions need no common classes
    stages[NAMED].cfg.model.head.num_classes = 12
    stages[NAMED].cfg.data_preprocessor.num_classes = 12
    stages[NAMED].cfg.model.train_cfg.augments.cam_class = 'predicted'
    rehearse(stages)


@pytest.mark.parametrize(
    ('name', 'value', 'field', 'word'),
    [
        ('generation.numb', 3, 'generation', 'numb'),
        ('generation.keep', 'none', 'generation', 'keep must be one of'),
        ('generation.pipeline', [dict(type='NoTransform')], 'generation.pipeline[0]', 'NoTrans'),
        ('generation.teacher', dict(config='x.py'), 'generation', 'checkpoint'),
        (AUGMENT, [], 'model.train_cfg.augments', 'none of the augments'),
    ],
)
def test_a_set_to_generate_is_rehearsed_too(plan, name, value, field, word):
    stages = plan(OFFLINE)
    (made,) = (stage for stage in stages if 'generation' in stage.cfg)
    assign(made.cfg, name, value)
    with pytest.raises((ValueError, TypeError)) as error:
        rehearse(stages)
    line = next(line for line in str(error.value).splitlines() if word in line)
    assert line.startswith(f'{made.config}: {field}: ')


@pytest.mark.parametrize('config', [DEMO, OFFLINE, 'configs/distill/kd_supermix.py'])
def test_a_sound_job_is_let_through_and_leaves_no_trace(plan, tmp_path, config):
    stages = plan(config)
    torch.manual_seed(3)
    before = torch.get_rng_state(), random.getstate(), np.random.get_state()[1].copy()  # noqa: NPY002
    texts = [stage.cfg.pretty_text for stage in stages]
    rehearse(stages)
    assert torch.equal(torch.get_rng_state(), before[0])
    assert random.getstate() == before[1]
    assert np.array_equal(np.random.get_state()[1], before[2])  # noqa: NPY002
    assert [stage.cfg.pretty_text for stage in stages] == texts
    assert not list(tmp_path.iterdir())


def test_what_only_a_real_run_has_refuses_nothing(plan):
    @LOOPS.register_module(force=True)
    class CuriousLoop(EpochBasedTrainLoop):
        def __init__(self, runner, dataloader, **kwargs):
            super().__init__(runner, dataloader, **kwargs)
            self.first = dataloader.dataset[0]
            self.rank = runner.no_such_thing

    rehearse(plan(DEMO, {NAMED: {'train_cfg': dict(type='CuriousLoop', max_epochs=1)}}))


def test_a_model_that_computes_while_it_is_built_is_built_on_the_cpu(plan):
    stages = plan()[:1]
    backbone = dict(type='SwinTransformer', arch='tiny', img_size=28, drop_path_rate=0.1)
    stages[0].cfg.model.backbone = backbone
    stages[0].cfg.model.head.in_channels = 768
    rehearse(stages)


def test_draws_within_are_undone():
    torch.manual_seed(0)
    with leaving_no_trace():
        random.random(), np.random.rand(), torch.rand(1)  # noqa: NPY002
    after = torch.rand(1)
    torch.manual_seed(0)
    assert after == torch.rand(1)


def test_augments_are_found_within_those_that_choose():
    augments = [dict(type='FMix'), SampleMixup()]
    chosen = dict(type='ChooseAugment', augments=augments, probs=[0.5, 0.5])
    for augments, field in ((chosen, 'augments'), ([dict(type='CutMix'), chosen], 'augments[1]')):
        found = augments_of(dict(model=dict(train_cfg=dict(augments=augments))))
        assert [one['type'] for _, one in found][-2:] == ['ChooseAugment', 'FMix']
        assert found[-1][0] == f'model.train_cfg.{field}.augments[0]'
