"""Two gloo processes train TransformMix by each of MMEngine's ways to wrap a model."""

import json
import os

import pytest
import torch
from mmengine.config import Config, ConfigDict

from mmtmix.engine.launch import build_runner
from mmtmix.engine.wrapping import prepare_strategy, set_cpu_wrapper
from mmtmix.utils import load_checkpoint, load_config
from tests.test_engine.ranks import run_ranks

pytestmark = pytest.mark.host
on_cpu = pytest.mark.skipif(torch.cuda.is_available(), reason='runs on gloo without GPUs')

STRATEGIES = {
    'runner': {},
    'ddp': dict(runner_type='FlexibleRunner'),  # whose default strategy is DDPStrategy
    'fsdp': dict(runner_type='FlexibleRunner', strategy=dict(type='FSDPStrategy')),
}


@pytest.fixture(scope='module')
def train(fitted_teacher, tmp_path_factory):
    """Train two epochs of two steps by a strategy on two processes, and return the folder."""
    root = tmp_path_factory.mktemp('strategies')

    def run(name, rank, options):
        os.environ['LOCAL_RANK'] = str(rank)  # in a process of its own
        store = torch.distributed.FileStore(str(root / f'{name}.store'), 2)
        torch.distributed.init_process_group('gloo', store=store, rank=rank, world_size=2)
        cfg = load_config('configs/transformmix/wrn16_fashionmnist_mini.py')
        cfg.model.backbone.depth = 10
        cfg.model.train_cfg = ConfigDict(
            augments=dict(
                type='TransformMix',
                mixer=dict(type='TransformMixer', cam_size=28),
                teacher=fitted_teacher,
            )
        )
        for loader in (cfg.train_dataloader, cfg.val_dataloader):
            loader.batch_size = 8
            loader.dataset.update(indices=32, serialize_data=False)
        cfg.train_cfg.update(max_epochs=2, val_interval=1)
        cfg.param_scheduler.total_steps = 4
        cfg.default_hooks.logger.interval = 1
        cfg.work_dir, cfg.log_level, cfg.launcher = str(root / name), 'ERROR', 'pytorch'
        cfg.merge_from_dict(options)
        runner = build_runner(cfg)
        runner.train()
        scalars = runner.message_hub.log_scalars
        values = {
            key: scalars[key].data[0].tolist() for key in ('train/loss', 'val/accuracy/top1')
        }
        sizes = [weight.numel() for weight in runner.model.parameters()]
        values |= dict(kind=type(runner.model).__name__, size=sum(sizes))
        (root / f'{name}{rank}.json').write_text(json.dumps(values))

    def start(name, **options):
        run_ranks(lambda rank: run(name, rank, options), seconds=120)
        seen = [json.loads((root / f'{name}{rank}.json').read_text()) for rank in range(2)]
        return root / name, seen

    return start


@pytest.fixture(scope='module')
def runs(train):
    """What each strategy's processes saw."""
    return {name: train(name, **options) for name, options in STRATEGIES.items()}


@on_cpu
def test_each_strategy_trains_the_same_network(runs):
    kinds = {name: seen[0]['kind'] for name, (_, seen) in runs.items()}
    ddp = 'MMDistributedDataParallel'
    assert kinds == dict(runner=ddp, ddp=ddp, fsdp='MMFullyShardedDataParallel')
    folder, wanted = runs['runner']
    assert len(wanted[0]['train/loss']) == 4 and len(wanted[0]['val/accuracy/top1']) == 2
    weights = load_checkpoint(folder / 'last.pth')['state_dict']
    for name in ('ddp', 'fsdp'):
        folder, seen = runs[name]
        for ours, theirs in zip(seen, wanted, strict=True):
            assert ours['train/loss'] == pytest.approx(theirs['train/loss'], rel=1e-4)
            assert ours['val/accuracy/top1'] == theirs['val/accuracy/top1']
        state = load_checkpoint(folder / 'last.pth')['state_dict']
        assert state.keys() == weights.keys()
        torch.testing.assert_close(state, weights)


@on_cpu
def test_fsdp_gives_each_process_a_part_and_writes_whole_checkpoints(runs):
    folder, seen = runs['fsdp']
    whole = runs['runner'][1][0]['size']
    assert seen[0]['size'] + seen[1]['size'] == pytest.approx(whole, abs=1)
    files = sorted(path.name for path in folder.glob('*.pth'))
    assert files == ['epoch_1.pth', 'epoch_2.pth', 'last.pth']
    assert not list(folder.glob('.*'))


@on_cpu
@pytest.mark.parametrize('name', ['fsdp', 'ddp'])
def test_a_run_of_a_strategy_is_resumed(runs, train, name):
    folder, seen = runs[name]
    again = dict(resume=True, load_from=str(folder / 'epoch_1.pth'))
    resumed, later = train(f'{name}_again', **STRATEGIES[name], **again)
    for ours, theirs in zip(later, seen, strict=True):
        assert ours['train/loss'][-2:] == theirs['train/loss'][-2:]
    states = [load_checkpoint(each / 'last.pth')['state_dict'] for each in (folder, resumed)]
    torch.testing.assert_close(*states, rtol=0, atol=0)


def sharded(**options):
    return Config(
        dict(runner_type='FlexibleRunner', strategy=dict(type='FSDPStrategy'), **options)
    )


@pytest.mark.parametrize(
    ('cfg', 'message'),
    [
        (dict(model=dict(type='MixerSearch')), 'model: MixerSearch exports the mixing module'),
        (dict(model=dict(type='mmpretrain.AutoMixClassifier')), 'model: AutoMixClassifier moves'),
        (dict(custom_hooks=[dict(type='EMAHook')]), r'custom_hooks\[0\]: EMAHook averages'),
        (dict(default_hooks=dict(x=dict(type='LiveModelHook'))), 'default_hooks.x: LiveModelHook'),
        (dict(custom_hooks=[dict(type='ChannelsLastHook')]), 'ChannelsLastHook reorders'),
        (dict(optim_wrapper=dict(clip_grad=dict(max_norm=1))), 'clip_grad .* norm of one shard'),
        (dict(optim_wrapper=dict(optimizer=dict(type='LARS'))), "optimizer='LARS' with .* shard"),
        ({'strategy.state_dict_cfg': 'local'}, "state_dict_cfg='local' of FSDPStrategy writes"),
        (
            {'strategy.state_dict_cfg': dict(state_dict_type='SHARDED_STATE_DICT')},
            "set state_dict_cfg='full'",
        ),
    ],
)
def test_fsdp_refuses_what_would_compute_with_one_shard(cfg, message):
    config = sharded()
    config.merge_from_dict(cfg)
    with pytest.raises(ValueError, match=message) as caught:
        prepare_strategy(config)
    assert 'DDPStrategy' in str(caught.value) or "'full'" in str(caught.value)
    config.strategy.type = 'DDPStrategy'
    before = config.to_dict()
    prepare_strategy(config)
    assert config.to_dict() == before


def test_fsdp_of_one_process_is_refused():
    with pytest.raises(ValueError, match=r'FSDPStrategy divides .* tools/dist_train.sh CONFIG N'):
        prepare_strategy(sharded(launcher='none'))


def test_fsdp_keeps_settings_of_its_own_that_write_whole_files():
    config = sharded(model=dict(type='ImageClassifier'), custom_hooks=[dict(type='DistillHook')])
    prepare_strategy(config)
    assert config.strategy.state_dict_cfg == 'full'
    own = dict(
        state_dict_type='FULL_STATE_DICT', state_dict_config=dict(type='FullStateDictConfig')
    )
    config.strategy.state_dict_cfg = own
    prepare_strategy(config)
    assert config.strategy.state_dict_cfg == own
    with pytest.raises(TypeError, match='strategy must be a dict'):
        prepare_strategy(Config(dict(runner_type='FlexibleRunner', strategy='FSDPStrategy')))


def test_the_fields_of_a_runner_reach_its_wrapper_on_cpus_too():
    config = Config(dict(find_unused_parameters=True))
    set_cpu_wrapper(config)
    assert config.model_wrapper_cfg.find_unused_parameters is True
    config = Config(dict(find_unused_parameters=True, model_wrapper_cfg=dict(static_graph=True)))
    set_cpu_wrapper(config)  # which MMEngine prefers
    assert 'find_unused_parameters' not in config.model_wrapper_cfg
    assert config.model_wrapper_cfg.static_graph is True
