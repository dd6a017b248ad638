"""AdAutoMix: its losses written out in loops, what learns from which, and its mix block."""

import math
from copy import deepcopy
from types import SimpleNamespace

import pytest
import torch

from mmtmix.engine import AutoMixHook
from mmtmix.functional import draw_index, draw_weights
from mmtmix.models import AdaptiveMixBlock
from mmtmix.models.draw import rank_generator

pytestmark = pytest.mark.host

BLOCK = dict(type='AdaptiveMixBlock', in_channels=32)
SHARED = {'loss', 'loss_mixup', 'loss_mix'}
BLOCKS_OWN = {'loss_mix_block', 'loss_similarity_mix_block'}
LABELS = torch.eye(4)[[0, 1, 2, 3, 0, 1]]


@pytest.fixture
def make(make_classifier):
    def make(iteration=0, **settings):
        model = make_classifier('AdAutoMixClassifier', **dict(dict(mix_block=BLOCK), **settings))
        model.mixing.encoder.reset(model)
        torch.manual_seed(7)
        for weight in model.mixing.mix_block.parameters():  # masks that differ from place to place
            torch.nn.init.normal_(weight, std=0.1)
        model.progress, model.iteration = 0.0, iteration
        return model

    return make


def cross_entropy(logits, target):
    """Of one image."""
    total = math.log(sum(math.exp(value) for value in logits.tolist()))
    return sum(share * (total - value) for share, value in zip(target, logits, strict=True))


def cosine(one, other):
    lengths = one.pow(2).sum().sqrt() * other.pow(2).sum().sqrt()
    return (one * other).sum() / lengths


def mean(values):
    values = list(values)
    return sum(values) / len(values)


def draw(model, generator, count):
    """Shares of the images, as the authors draw them, and the images of each mix."""
    rows, k = (count if model.per_sample else 1), model.num_mix
    if k == 2:
        weights = draw_weights(rows, 2, model.alpha, generator)
    else:
        betas = draw_weights(rows * k, 2, model.alpha, generator)[:, 0].tolist()
        weights = torch.tensor(
            [
                [b / sum(betas[r * k : r * k + k]) for b in betas[r * k : r * k + k]]
                for r in range(rows)
            ]
        )
    index = draw_index(count, k, generator)
    return [weights[n if model.per_sample else 0] for n in range(count)], index


def mixes(images, masks, index):
    """By masks (k, 1, H, W) of each mix."""
    return torch.stack(
        [
            sum(m * images[i] for m, i in zip(masks[n], row, strict=True))
            for n, row in enumerate(index)
        ]
    )


def labels_of(weights, index):
    return [
        sum(w * LABELS[i] for w, i in zip(weights[n], row, strict=True))
        for n, row in enumerate(index)
    ]


@pytest.mark.parametrize(
    ('iteration', 'settings'),
    [
        (0, {}),
        (1, {}),
        (2, dict(keep_similarity=True, beta=0.4, per_sample=False)),
        (3, dict(num_mix=2, alpha=2.0, adversarial_every=3, mixup_weight=0.2)),
        (4, dict(num_mix=4, adversarial_every=3)),
    ],
)
def test_losses_are_the_stated_ones(make, make_batch, iteration, settings):
    model = make(iteration, lam_margin=0.0, **settings)
    inputs, samples = make_batch()
    reference = deepcopy(model)
    torch.manual_seed(3)
    losses = model.loss(inputs, samples)

    torch.manual_seed(3)
    generator = rank_generator()
    encoder, block = reference.mixing.encoder, reference.mixing.mix_block
    weights, index = draw(reference, generator, 6)
    with torch.no_grad():
        maps = encoder.backbone.layers[:2](encoder.backbone.conv1(inputs))
        clean = encoder(inputs, mode='tensor')
        masks = block(maps, torch.stack(weights), index, (16, 20))
        of_mixes = encoder(mixes(inputs, masks, index), mode='tensor')
    targets = labels_of(weights, index)
    classified = mean(map(cross_entropy, of_mixes, targets))
    similarity = mean(
        sum(w * cosine(of_mixes[n], clean[i]) for w, i in zip(weights[n], row, strict=True))
        for n, row in enumerate(index)
    )
    beta, rho = reference.beta, reference.mixup_weight
    if iteration % reference.adversarial_every == 0:
        sign = -1 if reference.keep_similarity else 1
        expected = dict(
            loss_mix_block=-beta * classified,
            loss_similarity_mix_block=sign * (1 - beta) * similarity,
        )
    else:
        expected = dict(loss_mix_block=classified, loss_similarity_mix_block=0.0)

    weights, index = draw(reference, generator, 6)
    with torch.no_grad():
        masks = block(maps, torch.stack(weights), index, (16, 20))
        plain = [[w.expand(1, 16, 20) for w in row] for row in weights]
        of_plain = reference(mixes(inputs, plain, index), mode='tensor')
        of_mixes = reference(mixes(inputs, masks, index), mode='tensor')
        clean = reference(inputs, mode='tensor')
    targets = labels_of(weights, index)
    expected |= dict(
        loss=(1 - rho) * mean(map(cross_entropy, clean, LABELS)),
        loss_mixup=rho * mean(map(cross_entropy, of_plain, targets)),
        loss_mix=mean(map(cross_entropy, of_mixes, targets)),
    )
    assert losses.keys() == expected.keys()
    for name, value in expected.items():
        assert losses[name].item() == pytest.approx(float(value), rel=2e-4, abs=1e-6), name


@pytest.mark.parametrize('names', [SHARED, BLOCKS_OWN])
@pytest.mark.parametrize('iteration', [0, 1])
def test_no_loss_reaches_the_others_weights(make, make_batch, names, iteration):
    model = make(iteration)
    losses = model.loss(*make_batch())
    sum(losses[name] for name in names).backward()
    learning = {name for name, weight in model.named_parameters() if weight.grad is not None}
    own = {name for name, _ in model.mixing.mix_block.named_parameters(prefix='mixing.mix_block')}
    plain = {name for name, _ in model.named_parameters() if not name.startswith('mixing')}
    assert learning == (plain if names == SHARED else own)


def test_an_adversarial_step_makes_mixes_harder_and_another_step_easier(make, make_batch):
    def encoders_loss(model):
        torch.manual_seed(3)
        twin = deepcopy(model)
        twin.iteration = 1  # not adversarial: the cross entropy itself
        return twin.loss(*make_batch())['loss_mix_block'].item()

    for iteration, sign in ((0, 1), (1, -1)):
        model = make(iteration, beta=1.0)
        before = encoders_loss(model)
        torch.manual_seed(3)
        model.loss(*make_batch())['loss_mix_block'].backward()
        with torch.no_grad():
            for weight in model.mixing.mix_block.parameters():
                weight -= 0.05 * weight.grad
        assert sign * (encoders_loss(model) - before) > 1e-5


def test_the_encoder_and_the_classifier_read_each_batch_once(make, make_batch):
    model, counts = make(), dict(encoder=0, own=0)
    parts = dict(encoder=model.mixing.encoder.backbone, own=model.backbone)
    for name, part in parts.items():
        part.register_forward_hook(
            lambda *args, name=name: counts.update({name: counts[name] + 1})
        )
    model.loss(*make_batch())
    assert counts == dict(encoder=2, own=3)  # clean and mixed; plain, mixed and clean


@pytest.mark.parametrize('margin', [0.2, 1 / 3])
def test_uneven_shares_are_plain_mixup_for_the_classifier(make, make_batch, margin):
    model, seen = make(lam_margin=margin), []
    handle = model.backbone.register_forward_pre_hook(lambda module, args: seen.append(args[0]))
    model.loss(*make_batch())
    handle.remove()
    same = (seen[0] - seen[1]).abs().amax(dim=(1, 2, 3)) < 1e-6
    assert same.all() if margin == 1 / 3 else 0 < same.sum() < 6


def test_fewer_images_than_k_are_not_mixed(make, make_batch, make_classifier):
    model, plain = make(), make_classifier('ImageClassifier')
    losses = model.loss(*make_batch(2))
    assert losses['loss'].item() == pytest.approx(plain.loss(*make_batch(2))['loss'].item())
    assert losses.keys() == SHARED | BLOCKS_OWN
    assert all(losses[name] == 0 for name in losses.keys() - {'loss'})
    sum(losses.values()).backward()
    assert all(weight.grad is not None for weight in model.mixing.mix_block.parameters())


def test_the_hook_tells_the_step(make):
    model, runner = make(), SimpleNamespace(iter=5, max_iters=20)
    runner.model = model
    AutoMixHook().before_train_iter(runner, 0)
    assert (model.iteration, model.progress) == (5, 0.25)


def test_mixes_can_be_shown(make, make_batch):
    model = make()
    mixed, targets, details = model.mix(make_batch()[0], LABELS, return_details=True)
    assert details['masks'].shape == (6, 3, 1, 16, 20)
    torch.testing.assert_close(mixed, (details['masks'] * details['warped']).sum(dim=1))
    torch.testing.assert_close(
        targets, (details['weights'][..., None] * LABELS[details['index']]).sum(1)
    )


@pytest.mark.parametrize(
    ('settings', 'message'),
    [
        (dict(num_mix=1), 'num_mix must be an integer >= 2'),
        (dict(beta=1.1), 'beta must be a finite number >= 0 and <= 1'),
        (dict(mixup_weight=-0.1), 'mixup_weight must be a finite number >= 0 and <= 1'),
        (dict(adversarial_every=0), 'adversarial_every must be an integer >= 1'),
        (dict(lam_margin=0.5), 'lam_margin must be a finite number >= 0 and < 0.5'),
    ],
)
def test_arguments_out_of_range_are_refused(make_classifier, settings, message):
    with pytest.raises(ValueError, match=message):
        make_classifier('AdAutoMixClassifier', **dict(dict(mix_block=BLOCK), **settings))


# ---- the mix block


@pytest.mark.parametrize('lam_concat', [False, True])
@pytest.mark.parametrize('num_mix', [2, 3])
def test_masks_follow_from_attention_to_the_others(lam_concat, num_mix):
    torch.manual_seed(0)
    block = AdaptiveMixBlock(8, lam_concat=lam_concat)
    for weight in block.parameters():
        torch.nn.init.normal_(weight)
    features, index = torch.randn(3, 8, 2, 3), torch.tensor([[0, 1, 2], [2, 0, 1]])[:, :num_mix]
    weights = torch.rand(2, num_mix).softmax(dim=1)
    masks = block(features, weights, index, (4, 6))
    assert masks.shape == (2, num_mix, 1, 4, 6)
    for m in range(2):
        maps = [features[i].flatten(1).T for i in index[m]]  # positions as rows
        if lam_concat:
            maps = [
                torch.cat([part, share.expand(6, 1)], dim=1)
                for part, share in zip(maps, weights[m], strict=True)
            ]
        query, key, value = (
            [part @ layer.weight[:, :, 0, 0].T + layer.bias for part in maps]
            for layer in (block.query, block.key, block.value)
        )
        scores = []
        for i in range(num_mix):
            similar = sum(query[i] @ key[j].T for j in range(num_mix) if j != i) / math.sqrt(4)
            scores.append((similar.softmax(dim=1) @ value[i]).T.reshape(1, 1, 2, 3))
        scores = torch.nn.functional.interpolate(torch.cat(scores, dim=1), (4, 6), mode='bilinear')
        torch.testing.assert_close(masks[m, :, 0], scores[0].softmax(dim=0))


def test_maps_of_another_width_are_named():
    with pytest.raises(ValueError, match=r'maps \(N, 8, h, w\) and got \(2, 4, 3, 3\)'):
        AdaptiveMixBlock(8)(torch.zeros(2, 4, 3, 3), None, None, (3, 3))
