"""Real runs on a GPU: searches, distillation, resumed and compiled trainings, divergence."""

import math

import pytest
import torch
from mmengine.config import ConfigDict
from mmengine.hooks import Hook

from mmtmix.engine import DivergedError
from mmtmix.engine.launch import build_runner
from mmtmix.models import FrozenTeacher
from mmtmix.utils import load_checkpoint, load_config, load_safely

pytestmark = [pytest.mark.cuda, pytest.mark.host]

# the fastest algorithm may be another one each time
REPEATABLE = {'env_cfg.cudnn_benchmark': False}


@pytest.fixture(autouse=True)
def _repeatable():
    """Let convolutions add up in the same order each time."""
    load_safely()
    before = torch.backends.cudnn.benchmark, torch.backends.cudnn.deterministic
    torch.backends.cudnn.benchmark, torch.backends.cudnn.deterministic = False, True
    yield
    torch.backends.cudnn.benchmark, torch.backends.cudnn.deterministic = before


@pytest.fixture
def with_teacher(fitted_teacher):
    """What replaces a method's files: ``with_teacher('transformmix')``."""

    def options(method):
        found = {}
        if method == 'transformmix':
            found['model.train_cfg.augments.teacher'] = dict(fitted_teacher, _delete_=True)
            module = dict(type='TransformMixer', cam_size=28, _delete_=True)
            found['model.train_cfg.augments.mixer'] = module
        return found

    return options


class StopBefore(Hook):
    """Breaks a run off before an epoch, counted from 0."""

    def __init__(self, epoch):
        self.epoch = epoch

    def before_train_epoch(self, runner):
        if runner.epoch == self.epoch:
            raise KeyboardInterrupt


class Losses(Hook):
    """Keeps the losses of each step."""

    priority = 'LOWEST'

    def __init__(self):
        self.seen = []

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        self.seen.append(float(outputs['loss'].detach()))


class Spoil(Hook):
    """Makes a weight infinite before a step."""

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        if runner.iter == 2:
            next(runner.model.parameters()).data.fill_(math.inf)


# SuperMix's solver adds up in no order of its own on a GPU, so its masks differ a little
@pytest.mark.parametrize('method', ['simple', 'cutmix', 'transformmix'])
def test_a_resumed_run_equals_an_unbroken_one(method_runner, with_teacher, device, method):
    options = {**with_teacher(method), **REPEATABLE}
    whole = method_runner(method, folder='whole', epochs=2, **options)
    whole.train()
    assert next(whole.model.parameters()).device.type == device.type
    broken = method_runner(method, epochs=2, hooks=(StopBefore(1),), **options)
    with pytest.raises(KeyboardInterrupt):
        broken.train()
    resumed = method_runner(method, epochs=2, resume=True, **options)
    resumed.train()
    expected = whole.model.state_dict()
    for name, value in resumed.model.state_dict().items():
        torch.testing.assert_close(value, expected[name], atol=1e-6, rtol=1e-5, msg=name)


@pytest.mark.parametrize('transform', ['stn', 'none'])
def test_a_search_learns_and_its_module_mixes(fitted_teacher, tmp_path, device, transform):
    cfg = load_config('configs/transformmix/search_wrn16_fashionmnist_mini.py')
    cfg.model.teacher = ConfigDict(fitted_teacher)
    cfg.model.mixer.transform = transform
    for loader in (cfg.train_dataloader, cfg.val_dataloader):
        loader.batch_size = 32
        loader.dataset.update(indices=64, serialize_data=False)
    cfg.train_cfg.update(max_epochs=1, val_interval=1)
    cfg.work_dir, cfg.log_level = str(tmp_path), 'ERROR'
    runner = build_runner(cfg)
    runner.register_custom_hooks([losses := Losses()])
    before = {name: value.clone() for name, value in runner.model.state_dict().items()}
    runner.train()
    after = runner.model.state_dict()
    assert len(losses.seen) == 2 and all(map(math.isfinite, losses.seen))
    assert {value.device.type for value in after.values()} == {device.type}
    changed = [
        name for name, value in after.items() if not torch.equal(value.cpu(), before[name].cpu())
    ]
    assert any(name.startswith('mixer.mask_network') for name in changed)
    state = load_checkpoint(tmp_path / 'mixer.pth')
    assert all(value.device.type == 'cpu' for value in state['state_dict'].values())


def test_distillation_by_logits_and_features_trains(method_runner, fitted_teacher, device):
    losses = Losses()
    crd = dict(type='CRDLoss', num_negatives=4, feature_dim=8)
    hook = dict(type='DistillHook', teacher=fitted_teacher, losses=[dict(type='KDLoss'), crd])
    runner = method_runner('simple', hooks=(hook, losses))
    runner.train()
    assert len(losses.seen) == 2 and all(map(math.isfinite, losses.seen))
    for name in ('loss_kd', 'loss_crd'):
        values = runner.message_hub.get_scalar(f'train/{name}').data[0]
        assert all(map(math.isfinite, values))
    assert next(runner.model.parameters()).device.type == device.type


def test_a_compiled_training_has_the_losses_of_a_plain_one(method_runner, with_teacher, device):
    found, method = [], 'transformmix'
    for compiled in (False, True):
        torch._dynamo.reset()
        options = with_teacher(method)
        if compiled:
            options['compile'] = dict(backend='eager' if device.type == 'cpu' else 'inductor')
        losses = Losses()
        method_runner(method, folder=f'run{compiled}', hooks=(losses,), **options).train()
        found.append(losses.seen)
    assert len(found[0]) == 2
    # both in the precision of the config, bfloat16 on a GPU
    assert found[1] == pytest.approx(found[0], rel=0.02)


def test_a_diverged_run_ends_and_leaves_no_weights(method_runner, tmp_path):
    runner = method_runner('cutmix', epochs=2, hooks=(Spoil(),))
    with pytest.raises((DivergedError, ValueError)):
        runner.train()
    for path in (tmp_path / 'run').glob('*.pth'):
        weights = load_checkpoint(path)['state_dict'].values()
        assert all(value.isfinite().all() for value in weights)


def test_a_checkpoint_of_the_gpu_is_read_without_one(method_runner, with_teacher, tmp_path, batch):
    runner = method_runner('transformmix', **with_teacher('transformmix'))
    runner.train()
    teacher = FrozenTeacher(
        config=dict(
            model=dict(runner.cfg.model, train_cfg=None),
            data_preprocessor=dict(runner.cfg.data_preprocessor),
        ),
        checkpoint=str(tmp_path / 'run' / 'last.pth'),
        input_stats=dict(mean=[72.94], std=[90.02]),
    )
    assert teacher(batch[0]).shape == (32, 10)
