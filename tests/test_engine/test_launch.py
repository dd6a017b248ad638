"""What our tools put into a config before a Runner is built from it."""

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import RUNNERS, VISBACKENDS
from mmengine.runner import Runner
from mmengine.visualization import BaseVisBackend, LocalVisBackend

from mmtmix.engine import AutocastOptimWrapper, LastCheckpointHook, launch
from mmtmix.engine.launch import (
    build_runner,
    end_launch,
    init_launcher,
    set_loader_defaults,
    use_amp,
)
from mmtmix.visualization import read_scalars


@pytest.fixture(params=['cpu', 'cuda'])
def device(request, monkeypatch):
    monkeypatch.setattr(launch, 'get_device', lambda: request.param)
    return request.param


@pytest.fixture
def on_cpu(monkeypatch):
    monkeypatch.setattr(launch, 'get_device', lambda: 'cpu')


@pytest.fixture
def built(monkeypatch):
    """The configs that reach Runner.from_cfg, none of which is built."""
    configs = []
    monkeypatch.setattr(Runner, 'from_cfg', configs.append)
    return configs


def test_loader_defaults_are_those_of_mmpretrain(device):
    cfg = Config(dict(train_dataloader=dict(num_workers=2), val_dataloader=dict(num_workers=0)))
    set_loader_defaults(cfg)
    # nothing can be pinned without an accelerator, nothing persist without workers
    common = dict(collate_fn=dict(type='default_collate'), pin_memory=device == 'cuda')
    assert cfg.train_dataloader == dict(num_workers=2, persistent_workers=True, **common)
    assert cfg.val_dataloader == dict(num_workers=0, **common)
    assert cfg.get('test_dataloader') is None


def test_loader_settings_of_the_config_win_over_defaults_and_arguments_over_both():
    loader = dict(num_workers=1, persistent_workers=False, pin_memory=True, collate_fn='mine')
    cfg = Config(dict(train_dataloader=dict(loader)))
    set_loader_defaults(cfg)
    assert cfg.train_dataloader == loader
    cfg = Config(
        dict(train_dataloader=loader | dict(persistent_workers=True), val_dataloader=None)
    )
    set_loader_defaults(cfg, pin_memory=False, persistent_workers=False)
    assert cfg.train_dataloader == loader | dict(pin_memory=False, persistent_workers=False)
    assert cfg.val_dataloader is None


def test_amp_is_ours_on_a_cpu_and_mmengines_own_elsewhere(device):
    cfg = Config(dict(optim_wrapper=dict(optimizer=dict(type='SGD', lr=1))))
    use_amp(cfg)
    if device == 'cpu':
        assert cfg.optim_wrapper.type == 'mmpretrain.AutocastOptimWrapper'
        assert 'loss_scale' not in cfg.optim_wrapper
    else:
        assert cfg.optim_wrapper.type == 'AmpOptimWrapper'
        assert cfg.optim_wrapper.loss_scale == 'dynamic'


def test_amp_trains_with_what_it_puts_there(probe_runner, on_cpu):
    optimizer = dict(type='SGD', lr=0.1)
    cfg = Config(dict(optim_wrapper=dict(type='OptimWrapper', optimizer=optimizer)))
    use_amp(cfg)
    runner = probe_runner(epochs=1, optim_wrapper=cfg.optim_wrapper)
    runner.train()
    assert isinstance(runner.optim_wrapper, AutocastOptimWrapper)


def test_runner_has_the_last_checkpoint_hook_by_default(tmp_path, search_runner):
    runner = search_runner(tmp_path, default_hooks=dict(_delete_=True))
    hooks = [hook for hook in runner.hooks if isinstance(hook, LastCheckpointHook)]
    assert [hook.filename for hook in hooks] == ['last.pth']


def test_config_can_set_or_drop_the_last_checkpoint_hook(built):
    for hook in (dict(type='LastCheckpointHook', filename='x.pth'), None):
        build_runner(Config(dict(default_hooks=dict(last_checkpoint=hook))))
        assert built[-1].default_hooks.get('last_checkpoint') == hook


def test_callers_config_is_not_written_to(built, device):
    cfg = Config(dict(launcher='pytorch', model=dict(type='X')))
    before = cfg.to_dict()
    build_runner(cfg)
    assert cfg.to_dict() == before


def test_only_a_distributed_run_on_cpus_gets_a_wrapper_without_device_ids(built, device):
    for launcher in ('none', 'pytorch'):
        build_runner(Config(dict(launcher=launcher)))
    alone, distributed = (cfg.get('model_wrapper_cfg') for cfg in built)
    assert alone is None
    wanted = dict(type='MMDistributedDataParallel', broadcast_buffers=False, device_ids=None)
    assert distributed == (wanted if device == 'cpu' else None)


def test_only_a_distributed_run_shares_running_statistics(built, device):
    for launcher in ('none', 'pytorch'):
        build_runner(Config(dict(launcher=launcher)))
    alone, distributed = (cfg.default_hooks for cfg in built)
    assert 'sync_buffers' not in alone
    assert distributed.sync_buffers == dict(type='SyncBuffersHook')
    dropped = dict(sync_buffers=None)
    build_runner(Config(dict(launcher='pytorch', default_hooks=dropped)))
    assert 'sync_buffers' not in built[-1].default_hooks


def test_wrapper_settings_of_the_config_are_kept(built, on_cpu):
    wrapper = dict(type='MMDistributedDataParallel', find_unused_parameters=True)
    build_runner(Config(dict(launcher='pytorch', model_wrapper_cfg=wrapper)))
    ours = dict(broadcast_buffers=False, device_ids=None)
    assert built[0].model_wrapper_cfg == wrapper | ours


def test_runner_type_of_the_config_is_built(monkeypatch, built):
    monkeypatch.setattr(RUNNERS, 'build', lambda cfg: f'a {cfg.runner_type}')
    assert build_runner(Config(dict(runner_type='MyRunner'))) == 'a MyRunner'
    assert not built


def test_a_launch_ends_its_process_group_if_it_has_one(tmp_path):
    end_launch()
    store = torch.distributed.FileStore(str(tmp_path / 'store'), 1)
    torch.distributed.init_process_group('gloo', store=store, rank=0, world_size=1)
    end_launch()
    assert not torch.distributed.is_initialized()


@pytest.fixture
def started(monkeypatch):
    """The process groups that were started: by torch itself, or by MMEngine."""
    calls = []
    monkeypatch.setattr(launch.torch_dist, 'is_initialized', lambda: bool(calls))
    monkeypatch.setattr(
        launch.torch_dist,
        'init_process_group',
        lambda backend, **kwargs: calls.append((backend, kwargs)),
    )
    monkeypatch.setattr(
        launch, 'init_dist', lambda launcher, **kwargs: calls.append((launcher, kwargs))
    )
    return calls


@pytest.mark.parametrize('launcher', ['pytorch', 'slurm', 'mpi'])
@pytest.mark.parametrize(
    ('cfg', 'settings'),
    [
        (
            dict(env_cfg=dict(dist_cfg=dict(backend='nccl', timeout=9))),
            dict(backend='nccl', timeout=9),
        ),
        (dict(env_cfg=dict(cudnn_benchmark=True)), {}),
        (dict(env_cfg=None), {}),
        (dict(), {}),
    ],
)
def test_a_group_is_started_as_a_runner_would_but_on_gloo_without_an_accelerator(
    started, device, launcher, cfg, settings
):
    init_launcher(launcher, Config(cfg))
    on_gloo = launcher == 'pytorch' and device == 'cpu'
    assert started == [('gloo', {}) if on_gloo else (launcher, settings)]


def test_a_group_that_is_there_is_left_alone_and_alone_there_is_none(started, device):
    init_launcher('none', Config())
    assert not started
    for _ in range(2):
        init_launcher('pytorch', Config())
    assert len(started) == 1


def test_restarted_processes_of_one_machine_have_a_store_of_their_own(
    started, on_cpu, monkeypatch
):
    """Torchrun's store still has the addresses of the dead ones."""
    server = torch.distributed.TCPStore('127.0.0.1', 0, is_master=True)
    env = dict(MASTER_ADDR='127.0.0.1', MASTER_PORT=str(server.port), RANK='1', WORLD_SIZE='2')
    env |= dict(TORCHELASTIC_USE_AGENT_STORE='True', GROUP_WORLD_SIZE='1')
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    for attempt in ('0', '1', '2'):
        started.clear()
        monkeypatch.setenv('TORCHELASTIC_RESTART_COUNT', attempt)
        init_launcher('pytorch', Config())
        ((_, settings),) = started
        if attempt == '0':
            assert not settings
            continue
        assert (settings['rank'], settings['world_size']) == (1, 2)
        assert not settings['store'].check(['address'])
        settings['store'].set('address', attempt)
    # machines count restarts differently
    started.clear()
    monkeypatch.setenv('GROUP_WORLD_SIZE', '2')
    init_launcher('pytorch', Config())
    assert started == [('gloo', {})]


@pytest.mark.parametrize(
    ('backends', 'added'),
    [
        (None, True),
        ([], True),
        ([dict(type='TensorboardVisBackend')], True),
        ([dict(type='LocalVisBackend')], False),
        ([dict(type='mmengine.LocalVisBackend'), dict(type='WandbVisBackend')], False),
        ([dict(type=LocalVisBackend)], False),
    ],
)
def test_the_local_log_is_kept_beside_any_backend(built, backends, added):
    build_runner(Config(dict(visualizer=dict(type='Visualizer', vis_backends=backends))))
    wanted = [dict(type='LocalVisBackend')] if added else []
    assert (built[0].visualizer.vis_backends or []) == [*(backends or []), *wanted]


def test_an_option_for_a_config_without_a_visualizer_makes_one(built):
    cfg = Config()
    cfg.merge_from_dict({'visualizer.vis_backends.0.type': 'TensorboardVisBackend'})
    build_runner(cfg)
    visualizer = built[0].visualizer
    assert visualizer.type == 'mmpretrain.UniversalVisualizer'
    kinds = [backend.type for backend in visualizer.vis_backends]
    assert kinds == ['TensorboardVisBackend', 'LocalVisBackend']


def test_a_run_without_a_visualizer_has_mmengines_own(built):
    build_runner(Config())
    assert 'visualizer' not in built[0]


class Elsewhere(BaseVisBackend):
    """A backend that keeps no file, as that of a service."""

    experiment = None

    def _init_env(self):
        """Nothing to start."""


def test_a_run_with_another_backend_can_be_reported(tmp_path, search_runner):
    VISBACKENDS.register_module(module=Elsewhere, force=True)
    backends = [dict(type='mmengine.Elsewhere')]
    runner = search_runner(tmp_path, 1, **{'visualizer.vis_backends': backends})
    runner.train()
    assert any(isinstance(each, Elsewhere) for each in runner.visualizer._vis_backends.values())
    log = read_scalars(tmp_path)
    assert [record['step'] for record in log.train] == [1, 2] and log.val


@pytest.mark.parametrize('note', ['', 'glibc keeps memory'])
def test_the_log_of_a_run_tells_how_the_allocator_is_set(built, monkeypatch, note):
    lines = []
    monkeypatch.setattr(launch, 'allocator_note', lambda: note)
    monkeypatch.setattr(launch, 'print_log', lambda line, logger: lines.append((line, logger)))
    build_runner(Config(dict()))
    assert lines == ([(note, 'current')] if note else [])
