"""LiveModelHook and InputGradient in real runs: what is asked for, and what stays untouched."""

import os

import pytest
import torch
import torch.nn.functional as F
from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmpretrain.registry import BATCH_AUGMENTS, MODELS
from torch import nn

from mmtmix.engine.cleanup import closing_hooks
from mmtmix.models import BatchAugment, build_saliency
from mmtmix.models.saliency import live_model
from mmtmix.utils import unwrap
from tests.test_engine.ranks import run_ranks

pytestmark = pytest.mark.host

LEARNING_RATE = 0.1


@MODELS.register_module(force=True)
class LiveNet(nn.Module):
    """A convolution, a batch norm and an average."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 8, 3, stride=2)
        self.bn = nn.BatchNorm2d(8)

    def forward(self, images):
        return (self.bn(self.conv(images)).relu().mean(dim=(2, 3)),)


@BATCH_AUGMENTS.register_module(force=True)
class Look(BatchAugment):
    """Average two images, and note what asking for saliency does to the model."""

    def __init__(self, clean_lam=0.0):
        super().__init__()
        self.source = build_saliency(dict(type='InputGradient', clean_lam=clean_lam))
        self.seen = []

    def mix(self, batch_inputs, batch_scores, draw):
        model = live_model().model
        before = state_of(model)
        inputs = batch_inputs.clone()
        saliency = self.source(batch_inputs, batch_scores)
        mixed = batch_inputs[draw.index].mean(dim=1)
        self.seen.append(
            dict(
                inputs=inputs,
                scores=batch_scores,
                saliency=saliency,
                before=before,
                after=state_of(model),
                mixed=mixed,
                targets=batch_scores[draw.index].mean(dim=1),
            )
        )
        assert torch.equal(batch_inputs, inputs)
        half = torch.full_like(draw.weights, 0.5)
        masks = half[..., None, None, None].expand(-1, -1, 1, *batch_inputs.shape[-2:])
        return mixed, dict(weights=half, masks=masks)


class FreezeNorm(Hook):
    """Holds the batch norm in eval mode, as fine-tuning does."""

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        unwrap(runner.model).backbone.bn.eval()


def state_of(model):
    return dict(
        weights={name: value.clone() for name, value in model.state_dict().items()},
        grads={
            name: None if weight.grad is None else weight.grad.clone()
            for name, weight in model.named_parameters()
        },
        modes=[module.training for module in model.modules()],
    )


def same(left, right):
    """Whether two states hold the same values."""
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(same(left[name], right[name]) for name in left)
    if isinstance(left, torch.Tensor):
        return isinstance(right, torch.Tensor) and torch.equal(left, right)
    return left == right


def model_config(augment):
    return dict(
        type='ImageClassifier',
        backbone=dict(type='LiveNet'),
        head=dict(type='LinearClsHead', num_classes=10, in_channels=8),
        data_preprocessor=dict(num_classes=10, mean=[73.0], std=[90.0], to_rgb=False),
        train_cfg=dict(augments=augment),
    )


def classifier(weights):
    """A model of its own, with the weights of a run's."""
    model = MODELS.build(dict(model_config(None), train_cfg=None, _scope_='mmpretrain'))
    model.load_state_dict(weights)
    return model


def augment_of(runner):
    return unwrap(runner.model).data_preprocessor.batch_augments.augments[0]


@pytest.fixture
def live_runner(tmp_path, forget_runs):
    """Make a Runner of a small classifier on real images, one step by default."""

    def make(augment, *hooks, steps=1, batch_size=8, live=True, cfg=None, **options):
        forget_runs()
        hooks = [dict(type='LiveModelHook')] * live + list(hooks)
        settings = dict(
            model=model_config(augment),
            work_dir=str(tmp_path / 'run'),
            train_dataloader=dict(
                batch_size=batch_size,
                num_workers=0,
                sampler=dict(type='DefaultSampler', shuffle=False),
                dataset=dict(
                    type='FashionMNISTIdx',
                    indices=16 * steps,
                    pipeline=[dict(type='PackInputs')],
                    serialize_data=False,
                ),
            ),
            train_cfg=dict(by_epoch=False, max_iters=steps),
            optim_wrapper=dict(optimizer=dict(type='SGD', lr=LEARNING_RATE)),
            custom_hooks=hooks,
            default_hooks=dict(checkpoint=None),
            default_scope='mmpretrain',
            randomness=dict(seed=0),
            log_level='ERROR',
            cfg=dict(cfg or {}, model=model_config(augment)),
        )
        return Runner(**(settings | options))

    return make


def expected_step(seen, clean_lam):
    """The gradients of clean_lam * CE(clean) + CE(mixed), and the first of the two."""
    model = classifier(seen['before']['weights']).train()
    clean = clean_lam * F.cross_entropy(model(seen['inputs']), seen['scores'])
    mixed = F.cross_entropy(model(seen['mixed']), seen['targets'])
    weights = dict(model.named_parameters())
    grads = torch.autograd.grad(clean + mixed, list(weights.values()))
    return dict(zip(weights, grads, strict=True)), clean


def test_asking_leaves_gradients_statistics_and_modes_alone(live_runner):
    accumulate = dict(optimizer=dict(type='SGD', lr=0.1), accumulative_counts=4)
    runner = live_runner(dict(type='Look'), FreezeNorm(), steps=3, optim_wrapper=accumulate)
    runner.train()
    seen = augment_of(runner).seen
    assert len(seen) == 3
    for step, look in enumerate(seen):
        assert same(look['before'], look['after'])
        assert all((grad is not None) == (step > 0) for grad in look['after']['grads'].values())
        assert look['before']['modes'].count(False) == 1
    assert 'train/loss_clean' not in runner.message_hub.log_scalars


@pytest.mark.parametrize('clean_lam', [0.0, 0.7])
def test_saliency_is_the_gradient_of_each_images_own_loss(live_runner, clean_lam):
    runner = live_runner(dict(type='Look', clean_lam=clean_lam))
    runner.train()
    (look,) = augment_of(runner).seen
    model = classifier(look['before']['weights']).train(clean_lam > 0)
    images = look['inputs'].clone().requires_grad_()
    F.cross_entropy(model(images), look['scores'], reduction='sum').backward()
    expected = images.grad.square().mean(dim=1, keepdim=True).sqrt()
    assert look['saliency'].shape == (8, 1, 28, 28)
    assert not look['saliency'].requires_grad
    torch.testing.assert_close(look['saliency'], expected)
    assert look['saliency'].amax(dim=(1, 2, 3)).gt(0).all()


@pytest.mark.parametrize('clean_lam', [0.0, 0.7])
def test_a_step_learns_the_mixes_and_the_clean_images_by_their_factor(live_runner, clean_lam):
    runner = live_runner(dict(type='Look', clean_lam=clean_lam))
    runner.train()
    (look,) = augment_of(runner).seen
    grads, clean = expected_step(look, clean_lam)
    for name, weight in runner.model.named_parameters():
        expected = look['before']['weights'][name] - LEARNING_RATE * grads[name]
        torch.testing.assert_close(weight.detach(), expected, msg=name)
    scalars = runner.message_hub.log_scalars
    assert ('train/loss_clean' in scalars) == (clean_lam > 0)
    if clean_lam:
        assert scalars['train/loss_clean'].current() == pytest.approx(clean.item(), rel=1e-5)
    # MMEngine learns the sum, but its log calls by this name what the head does
    model = classifier(look['before']['weights']).train()
    mixed = F.cross_entropy(model(look['mixed']), look['targets'])
    assert scalars['train/loss'].current() == pytest.approx(mixed.item(), rel=1e-5)


def test_beside_softmax_bce_the_clean_images_weigh_as_in_the_public_code(live_runner):
    """2 * clean_lam / num_classes times a cross entropy, beside a mean over N x classes."""
    clean_lam, num_classes = 0.7, 10
    model = model_config(dict(type='Look', clean_lam=clean_lam))
    model['head']['loss'] = dict(type='SoftmaxBCELoss')
    runner = live_runner(None, model=model)
    runner.train()
    (look,) = augment_of(runner).seen
    model = classifier(look['before']['weights']).train()
    own = F.cross_entropy(model(look['inputs']), look['scores'].argmax(dim=1), reduction='none')
    clean = (2 * clean_lam * own / num_classes).mean()
    mixed = F.binary_cross_entropy(model(look['mixed']).softmax(dim=1), look['targets'])
    grads = torch.autograd.grad(clean + mixed, list(model.parameters()))
    for (name, weight), grad in zip(runner.model.named_parameters(), grads, strict=True):
        expected = look['before']['weights'][name] - LEARNING_RATE * grad
        torch.testing.assert_close(weight.detach(), expected, msg=name)
    shown = runner.message_hub.log_scalars['train/loss_clean'].current()
    assert shown == pytest.approx(clean.item(), rel=1e-5)


@pytest.mark.parametrize('clean_lam', [0.0, 0.7])
def test_two_processes_learn_the_mean_of_their_gradients(live_runner, tmp_path, clean_lam):
    if torch.cuda.is_available():
        pytest.skip('runs on gloo without GPUs')

    def train(rank):
        os.environ['LOCAL_RANK'] = str(rank)  # in a process of its own
        store = torch.distributed.FileStore(str(tmp_path / 'store'), 2)
        torch.distributed.init_process_group('gloo', store=store, rank=rank, world_size=2)
        wrapper = dict(type='MMDistributedDataParallel', device_ids=None)
        runner = live_runner(
            dict(type='Look', clean_lam=clean_lam),
            launcher='pytorch',
            cfg=dict(model_wrapper_cfg=wrapper),
        )
        runner.train()
        content = dict(unwrap(runner.model).state_dict()), augment_of(runner).seen
        torch.save(content, tmp_path / f'{rank}.pt')

    run_ranks(train)
    ends, looks = zip(
        *(torch.load(tmp_path / f'{rank}.pt', weights_only=False) for rank in range(2)),
        strict=True,
    )
    (one,), (other,) = looks
    assert not torch.equal(one['inputs'], other['inputs'])
    grads = [expected_step(look, clean_lam)[0] for look in (one, other)]
    for name in grads[0]:
        mean = (grads[0][name] + grads[1][name]) / 2
        expected = one['before']['weights'][name] - LEARNING_RATE * mean
        assert torch.equal(ends[0][name], ends[1][name])
        torch.testing.assert_close(ends[0][name], expected, msg=name)


@pytest.mark.parametrize('clean_lam', [0.0, 0.7])
def test_it_works_under_autocast(live_runner, clean_lam):
    optimizer = dict(type='SGD', lr=LEARNING_RATE)
    half = dict(type='AutocastOptimWrapper', dtype='bfloat16', optimizer=optimizer)
    runner = live_runner(dict(type='Look', clean_lam=clean_lam), optim_wrapper=half)
    runner.train()
    (look,) = augment_of(runner).seen
    assert look['saliency'].dtype == torch.float32
    model = classifier(look['before']['weights']).train(clean_lam > 0)
    images = look['inputs'].clone().requires_grad_()
    F.cross_entropy(model(images), look['scores'], reduction='sum').backward()
    expected = images.grad.square().mean(dim=1, keepdim=True).sqrt()
    apart = (look['saliency'] - expected).norm() / expected.norm()
    assert 0 < apart < 0.05


@pytest.mark.parametrize('kind', ['PuzzleMix', 'CoMixup'])
@pytest.mark.parametrize('clean_lam', [0.0, 1.0])
def test_mixers_that_ask_train(live_runner, kind, clean_lam):
    saliency = dict(type='InputGradient', clean_lam=clean_lam)
    runner = live_runner(dict(type=kind, saliency=saliency), steps=3)
    runner.train()
    scalars = runner.message_hub.log_scalars
    assert torch.tensor(scalars['train/loss'].data[0]).isfinite().all()
    assert ('train/loss_clean' in scalars) == (clean_lam > 0)


def test_without_the_hook_the_error_names_it(live_runner):
    runner = live_runner(dict(type='PuzzleMix'), live=False)
    with pytest.raises(RuntimeError, match=r"custom_hooks=\[dict\(type='LiveModelHook'\)\]"):
        runner.train()


@pytest.mark.parametrize('breaks', [False, True])
def test_nothing_stays_behind(live_runner, breaks):
    class Break(Hook):
        def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
            assert live_model().model is runner.model
            if breaks:
                raise KeyboardInterrupt

    runner = live_runner(dict(type='Look'), Break())
    if breaks:
        with pytest.raises(KeyboardInterrupt), closing_hooks(runner):
            runner.train()
    else:
        runner.train()
    with pytest.raises(RuntimeError, match='LiveModelHook'):
        live_model()
    assert not runner.model._forward_hooks


def test_it_changes_nothing_where_nobody_asks(live_runner):
    ends = []
    for live in (True, False):
        runner = live_runner(dict(type='SampleMixup'), steps=2, live=live)
        runner.train()
        ends.append(runner.model.state_dict())
    assert same(dict(ends[0]), dict(ends[1]))


@pytest.mark.parametrize(('method', 'kind'), [('puzzlemix', 'PuzzleMix'), ('comixup', 'CoMixup')])
def test_the_demo_configs_train(method_runner, method, kind):
    runner = method_runner(method)
    assert type(augment_of(runner)).__name__ == kind
    runner.train()
    assert runner.iter == 2
    scalars = runner.message_hub.log_scalars
    assert torch.tensor(scalars['train/loss'].data[0]).isfinite().all()
    assert 0 <= scalars['val/accuracy/top1'].current() <= 100
