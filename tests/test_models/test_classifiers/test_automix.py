"""AutoMix: what learns from which loss, and that the rest is a plain classifier."""

from copy import deepcopy

import pytest
import torch

from mmtmix.functional import draw_index, draw_weights
from mmtmix.models import AutoMixClassifier
from mmtmix.models.draw import rank_generator

pytestmark = pytest.mark.host

BLOCK = dict(type='MixBlock', in_channels=32)
SHARED = {'loss', 'loss_mix'}
BLOCKS_OWN = {'loss_mix_block', 'loss_mask_area'}


@pytest.fixture
def make(make_classifier):
    def make(progress=0.0, **settings):
        model = make_classifier('AutoMixClassifier', **dict(dict(mix_block=BLOCK), **settings))
        model.mixing.encoder.reset(model)
        for weight in model.mixing.mix_block.parameters():  # masks that differ from place to place
            torch.nn.init.normal_(weight)
        model.progress = progress
        return model

    return make


def split_gradients(model):
    """Names of all weights that have a gradient, by whose they are."""
    with_grad = [name for name, weight in model.named_parameters() if weight.grad is not None]
    kinds = ('mixing.mix_block', 'mixing.encoder', '')
    return [
        [name for name in with_grad if name.startswith(kind)]
        if kind
        else [name for name in with_grad if not name.startswith('mixing')]
        for kind in kinds
    ]


def recorded(module, model, inputs, samples):
    """What a module sees during a loss."""
    seen = []
    handle = module.register_forward_pre_hook(lambda module, args: seen.append(args[0]))
    torch.manual_seed(3)
    losses = model.loss(inputs, samples)
    handle.remove()
    return seen, losses


def replay(model, num_samples):
    """The draws for the mix block's mixes and for the classifier's."""
    torch.manual_seed(3)
    generator = rank_generator()
    rows = num_samples if model.per_sample else 1
    return [
        (
            draw_weights(rows, 2, model.alpha, generator).expand(num_samples, -1),
            draw_index(num_samples, 2, generator),
        )
        for _ in range(2)
    ]


def cross_entropy(logits, samples_scores):
    return -(samples_scores * logits.log_softmax(dim=1)).sum(dim=1).mean()


@pytest.mark.parametrize('names', [SHARED, BLOCKS_OWN])
@pytest.mark.parametrize('precision', [torch.float32, torch.bfloat16])
def test_no_loss_reaches_the_others_weights(make, make_batch, names, precision):
    model = make()
    with torch.autocast('cpu', torch.bfloat16, enabled=precision == torch.bfloat16):
        losses = model.loss(*make_batch())
    assert losses.keys() == SHARED | BLOCKS_OWN
    assert all(loss.isfinite() for loss in losses.values())
    sum(losses[name] for name in names).backward()
    block, encoder, classifier = split_gradients(model)
    assert not encoder
    plain = [name for name, _ in model.named_parameters() if not name.startswith('mixing')]
    assert (block, classifier) == (([], plain) if names == SHARED else (block, []))
    assert len(block) == (0 if names == SHARED else 4)


@pytest.mark.parametrize(('shape', 'per_sample'), [((3, 16, 20), True), ((1, 12, 8), False)])
def test_losses_are_those_of_the_paper(make, make_batch, shape, per_sample):
    model = make(
        0.25, in_channels=shape[0], per_sample=per_sample, lam_margin=0.0, area_margin=0.02
    )
    inputs, samples = make_batch(6, shape)
    scores = torch.eye(4)[[0, 1, 2, 3, 0, 1]]
    reference = deepcopy(model)
    encoder_saw, losses = recorded(model.mixing.encoder.backbone, model, inputs, samples)
    encoder = reference.mixing.encoder
    maps = encoder.backbone.layers[:2](encoder.backbone.conv1(inputs))
    mixes, areas = [], []
    for weights, index in replay(reference, 6):
        masks = reference.mixing.mix_block(maps, weights, index, shape[1:])
        mixes.append((masks * inputs[index]).sum(dim=1))
        off = (masks[:, 0].mean(dim=(1, 2, 3)) - weights[:, 0]).abs() - 0.02
        areas.append(off.clamp(min=0).mean())
    targets = [(w[..., None] * scores[i]).sum(dim=1) for w, i in replay(reference, 6)]
    assert torch.equal(encoder_saw[0], inputs)
    torch.testing.assert_close(encoder_saw[1], mixes[0])
    expected = dict(
        loss=cross_entropy(reference(inputs, mode='tensor'), scores),
        loss_mix=cross_entropy(reference(mixes[1], mode='tensor'), targets[1]),
        loss_mix_block=cross_entropy(encoder(mixes[0], mode='tensor'), targets[0]),
        loss_mask_area=0.1 * 0.75 * areas[0],
    )
    assert areas[0] > 0
    for name, value in expected.items():
        torch.testing.assert_close(losses[name], value, msg=name)


def test_uneven_shares_are_plain_mixup_for_the_classifier_alone(make, make_batch):
    model = make(lam_margin=0.3)
    inputs, samples = make_batch()
    seen, _ = recorded(model.backbone, model, inputs, samples)
    encoder_saw, _ = recorded(model.mixing.encoder.backbone, model, inputs, samples)
    draws = replay(model, 6)
    mixup = [(w[..., None, None, None] * inputs[i]).sum(dim=1) for w, i in draws]
    uneven = draws[1][0].min(dim=1).values <= 0.3
    assert 0 < uneven.sum() < 6
    same = (seen[0] - mixup[1]).abs().amax(dim=(1, 2, 3)) < 1e-6
    assert torch.equal(same, uneven)
    assert not ((encoder_saw[1] - mixup[0]).abs().amax(dim=(1, 2, 3)) < 1e-6).any()


@pytest.mark.parametrize(('keep', 'share'), [(False, 0.2), (True, 1.0)])
def test_the_area_weight_falls_as_a_line_unless_it_is_kept(make, make_batch, keep, share):
    areas = []
    for progress in (0.0, 0.8):
        model = make(progress, area_margin=0.0, keep_area_weight=keep)
        torch.manual_seed(3)
        areas.append(model.loss(*make_batch())['loss_mask_area'])
    torch.testing.assert_close(areas[1], share * areas[0])


def test_the_encoder_follows_by_its_momentum(make):
    model = make()
    encoder = model.mixing.encoder
    before = [weight.clone() for weight in encoder.parameters()]
    buffers = [buffer.clone() for buffer in encoder.buffers()]
    for part in (*model.backbone.parameters(), *model.head.parameters()):
        torch.nn.init.normal_(part)
    encoder.follow(model, 0.9)
    ours = [*model.backbone.parameters(), *model.head.parameters()]
    for old, new, weight in zip(before, encoder.parameters(), ours, strict=True):
        torch.testing.assert_close(new, 0.9 * old + 0.1 * weight)
        assert not torch.equal(new, old)
    assert all(map(torch.equal, buffers, encoder.buffers()))
    encoder.reset(model)
    assert all(map(torch.equal, encoder.parameters(), ours))


def test_pictures_show_how_a_mix_was_made(make, make_batch):
    model = make().eval()
    inputs, _ = make_batch()
    scores = torch.eye(4)[[0, 1, 2, 3, 0, 1]]
    mixed, targets, details = model.mix(inputs, scores, return_details=True)
    assert details.keys() == {'weights', 'index', 'masks', 'warped'}
    assert not mixed.requires_grad
    torch.testing.assert_close(mixed, (details['masks'] * details['warped']).sum(dim=1))
    assert torch.equal(details['warped'], inputs[details['index']])
    for n in range(6):
        (own, partner), (share, rest) = details['index'][n], details['weights'][n]
        assert own == n != partner
        torch.testing.assert_close(targets[n], share * scores[own] + rest * scores[partner])
    again = model.mix(inputs, scores, details['weights'], details['index'])
    assert torch.equal(again[0], mixed) and torch.equal(again[1], targets)


def test_one_image_is_not_mixed_but_the_mix_block_has_gradients_for_ddp(make, make_batch):
    model = make()
    expected = deepcopy(model)
    losses = model.loss(*make_batch(1))
    assert {name: loss.item() for name, loss in losses.items() if name != 'loss'} == dict(
        loss_mix=0, loss_mix_block=0, loss_mask_area=0
    )
    assert torch.equal(
        losses['loss'], super(AutoMixClassifier, expected).loss(*make_batch(1))['loss']
    )
    sum(losses.values()).backward()
    block, encoder, _ = split_gradients(model)
    assert len(block) == 4 and not encoder
    assert not any(weight.grad.any() for weight in model.mixing.mix_block.parameters())


def test_it_is_a_plain_classifier_but_for_its_training(make, make_classifier, make_batch):
    model, plain = make(), make_classifier('ImageClassifier')
    # the same first weights, whatever else was built
    for name, value in plain.state_dict().items():
        assert torch.equal(value, model.state_dict()[name]), name
    plain.load_state_dict(model.state_dict(), strict=True)
    model.load_state_dict(plain.state_dict(), strict=True)
    inputs, samples = make_batch()
    assert torch.equal(model.eval()(inputs), plain.eval()(inputs))
    assert not any(weight.requires_grad for weight in model.mixing.encoder.parameters())


def test_sync_bn_and_copies_leave_it_one_model(make, make_batch):
    model = make()
    names = list(model.state_dict())
    converted = torch.nn.SyncBatchNorm.convert_sync_batchnorm(model)
    kinds = {type(part) for part in converted.mixing.encoder.modules()}
    assert torch.nn.SyncBatchNorm in kinds and torch.nn.BatchNorm2d not in kinds
    assert list(converted.state_dict()) == names
    copy = deepcopy(model)
    copy.mixing.encoder.follow(copy, 0.5)
    assert copy.mixing.encoder.head is not model.mixing.encoder.head
    copy.load_state_dict(model.state_dict(), strict=True)


def test_without_its_hook_it_does_not_train(make, make_batch):
    with pytest.raises(RuntimeError, match="add custom_hooks=.*'AutoMixHook'"):
        make(progress=None).loss(*make_batch())


@pytest.mark.parametrize(
    ('settings', 'message'),
    [
        (dict(alpha=0.0), 'alpha must be a finite number > 0'),
        (dict(lam_margin=0.5), 'lam_margin must be a finite number >= 0 and < 0.5'),
        (dict(area_weight=-1), 'area_weight must be a finite number >= 0'),
        (dict(area_margin=2), 'area_margin must be a finite number >= 0 and <= 1'),
        (dict(mask_layer='backbone.layer3'), "mask_layer names 'backbone.layer3'"),
        (dict(backbone=dict(type='VGG', depth=11)), "set mask_layer='backbone....'"),
        (
            dict(head=dict(type='LinearClsHead', num_classes=4, in_channels=64, cal_acc=True)),
            'set cal_acc=False',
        ),
    ],
)
def test_arguments_out_of_range_are_refused(make_classifier, settings, message):
    with pytest.raises(ValueError, match=message):
        make_classifier('AutoMixClassifier', **dict(dict(mix_block=BLOCK), **settings))


def test_a_mix_block_for_other_maps_is_named(make, make_batch):
    model = make(mix_block=dict(type='MixBlock', in_channels=8))
    with pytest.raises(ValueError, match=r'maps \(N, 8, h, w\) and got \(6, 32, 8, 10\)'):
        model.loss(*make_batch())
