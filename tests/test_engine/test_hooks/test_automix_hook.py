"""AutoMixHook in real runs: the encoder moves, files are plain ones, resumes are exact."""

import os

import pytest
import torch
from mmengine.hooks import Hook
from mmpretrain.registry import MODELS

from mmtmix.engine import AutoMixHook
from mmtmix.functional import cosine_momentum
from mmtmix.utils import load_checkpoint, read_weights, unwrap
from tests.test_engine.ranks import run_ranks

pytestmark = pytest.mark.host

EMA = dict(type='EMAHook', momentum=0.3)


class Watch(Hook):
    """Keeps the weights of classifier and encoder before and after each step."""

    priority = 'LOWEST'

    def __init__(self):
        self.ours, self.encoders, self.states = [], [], []

    def _look(self, runner):
        model = unwrap(runner.model)
        self.states.append({n: v.clone() for n, v in model.mixing.training_state().items()})
        self.ours.append([weight.detach().clone() for weight in model.backbone.parameters()])
        encoder = model.mixing.encoder.backbone
        self.encoders.append([weight.clone() for weight in encoder.parameters()])

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        if not self.ours:
            self._look(runner)

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        self._look(runner)


def same(left, right):
    return left.keys() == right.keys() and all(
        torch.equal(value, right[name]) for name, value in left.items()
    )


def plain_classifier(runner):
    names = ('backbone', 'neck', 'head')
    config = {name: runner.cfg.model[name] for name in names}
    return MODELS.build(dict(config, type='ImageClassifier', _scope_='mmpretrain'))


def test_the_encoder_starts_as_the_classifier_and_follows_it(method_runner):
    watch = Watch()
    runner = method_runner('automix', epochs=2, hooks=(watch,))
    runner.train()
    assert len(watch.ours) == 5
    assert all(map(torch.equal, watch.ours[0], watch.encoders[0]))
    for step in range(4):
        momentum = cosine_momentum(step / 4, 0.95)
        expected = [
            momentum * old + (1 - momentum) * new
            for old, new in zip(watch.encoders[step], watch.ours[step + 1], strict=True)
        ]
        for found, value in zip(watch.encoders[step + 1], expected, strict=True):
            torch.testing.assert_close(found, value)
    # the mix block learned, too
    for name in ('mix_block.embed.weight', 'mix_block.value.weight'):
        assert not torch.equal(watch.states[0][name], watch.states[-1][name])
    assert unwrap(runner.model).progress == 0.75


def test_weights_that_are_loaded_are_where_the_encoder_begins(method_runner, tmp_path):
    first = method_runner('automix', folder='first')
    first.train()
    watch = Watch()
    loaded = method_runner(
        'automix', hooks=(watch,), load_from=str(tmp_path / 'first' / 'last.pth')
    )
    loaded.train()
    expected = list(first.model.backbone.parameters())
    assert all(map(torch.equal, watch.encoders[0], expected))


@pytest.mark.parametrize('hooks', [(), (EMA,)])
def test_files_are_those_of_a_plain_classifier(method_runner, tmp_path, hooks):
    runner = method_runner('automix', hooks=hooks)
    runner.train()
    plain = plain_classifier(runner)
    for name in ('last.pth', 'epoch_1.pth'):
        content = load_checkpoint(tmp_path / 'run' / name)
        plain.load_state_dict(content['state_dict'], strict=True)
        # as tools/test.py does, with the same config
        assert same(read_weights(runner.model, tmp_path / 'run' / name), content['state_dict'])
        assert ('automix' in content) == (name == 'epoch_1.pth')
    if hooks:
        (ema,) = [hook for hook in runner.hooks if type(hook).__name__ == 'EMAHook']
        assert same(content['state_dict'], ema.ema_model.module.state_dict())
    else:
        assert same(content['state_dict'], runner.model.state_dict())


@pytest.mark.parametrize('hooks', [(), (EMA,)])
def test_a_resumed_run_equals_an_unbroken_one(method_runner, stop_before, tmp_path, hooks):
    runs = [method_runner('automix', folder='unbroken', epochs=2, hooks=hooks)]
    runs[0].train()
    with pytest.raises(KeyboardInterrupt):
        method_runner(
            'automix', folder='broken', epochs=2, hooks=(*hooks, stop_before(epoch=1))
        ).train()
    runs.append(method_runner('automix', folder='broken', epochs=2, hooks=hooks, resume=True))
    runs[1].train()
    assert [run.iter for run in runs] == [4, 4]
    assert same(*(run.model.state_dict() for run in runs))
    assert same(*(run.model.mixing.training_state() for run in runs))
    files = [load_checkpoint(tmp_path / name / 'last.pth') for name in ('unbroken', 'broken')]
    assert same(*(content['state_dict'] for content in files))
    optimizers = [run.optim_wrapper.state_dict()['state'] for run in runs]
    assert optimizers[0].keys() == optimizers[1].keys()
    for number, state in optimizers[0].items():
        assert torch.equal(state['momentum_buffer'], optimizers[1][number]['momentum_buffer'])


class StopBeforeStep(Hook):
    """Breaks a run off before its fourth step."""

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        if runner.iter == 3:
            raise KeyboardInterrupt


def test_a_resumed_run_by_iterations_equals_an_unbroken_one(method_runner):
    def make(folder, steps=4, **options):
        by_iterations = {
            'train_cfg': dict(by_epoch=False, max_iters=steps, _delete_=True),
            'train_dataloader.sampler.type': 'InfiniteSampler',
            'default_hooks.checkpoint': dict(by_epoch=False, interval=2),
            'param_scheduler': None,
        }
        return method_runner('automix', folder=folder, **by_iterations, **options)

    unbroken = make('unbroken')
    unbroken.train()
    with pytest.raises(KeyboardInterrupt):
        make('broken', hooks=(StopBeforeStep(),)).train()
    resumed, longer = make('broken', resume=True), make('broken', steps=5, resume=True)
    told = []
    longer.logger.warning = told.append
    longer.load_or_resume()
    assert any('was 4 iterations long and this one is 5' in text for text in told)
    del longer.logger.warning
    resumed.train()
    assert [run.iter for run in (unbroken, resumed)] == [4, 4]
    assert same(*(run.model.state_dict() for run in (unbroken, resumed)))
    assert same(*(run.model.mixing.training_state() for run in (unbroken, resumed)))


def test_a_plain_run_cannot_be_resumed_with_it(method_runner, tmp_path):
    method_runner('simple').train()
    with pytest.raises(ValueError, match='has no mix block and momentum encoder'):
        method_runner('automix', epochs=2, resume=True).train()


def test_it_serves_no_other_model(method_runner):
    with pytest.raises(TypeError, match='got ImageClassifier'):
        method_runner('simple', hooks=(dict(type='AutoMixHook'),)).train()


@pytest.mark.parametrize('momenta', [(-0.1, 1.0), (0.9, 0.8), (0.9, 1.1)])
def test_momenta_out_of_range_are_refused(momenta):
    with pytest.raises(ValueError, match='momentum must be a finite number >= '):
        AutoMixHook(*momenta)


@pytest.mark.skipif(torch.cuda.is_available(), reason='runs on gloo without GPUs')
def test_two_processes_end_with_the_same_weights(method_runner, tmp_path):
    def train(rank):
        os.environ['LOCAL_RANK'] = str(rank)  # in a process of its own
        store = torch.distributed.FileStore(str(tmp_path / 'store'), 2)
        torch.distributed.init_process_group('gloo', store=store, rank=rank, world_size=2)
        wrapper = dict(type='MMDistributedDataParallel', device_ids=None)
        runner = method_runner('automix', launcher='pytorch', model_wrapper_cfg=wrapper)
        runner.train()
        state = dict(unwrap(runner.model).named_parameters())
        weights = {name: value.detach() for name, value in state.items()}
        torch.save(weights, tmp_path / f'{rank}.pt')

    run_ranks(train)
    first, second = (torch.load(tmp_path / f'{rank}.pt') for rank in range(2))
    assert any(name.startswith('mixing.mix_block') for name in first)
    assert same(first, second)
    content = load_checkpoint(tmp_path / 'run' / 'last.pth')
    assert not any('mixing' in name for name in content['state_dict'])
