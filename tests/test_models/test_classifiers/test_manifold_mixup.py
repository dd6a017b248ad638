"""Manifold Mixup: one layer is mixed, as a forward pass written by hand does."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from mmtmix.functional import draw_index, draw_weights
from mmtmix.models import ManifoldMixup
from mmtmix.models.draw import rank_generator

pytestmark = pytest.mark.host

LAYERS = ['input', 'backbone.layers.0', 'backbone.layers.1']


def mixed(states, weights, index):
    rows = [
        sum(weights[n, i] * states[index[n, i]] for i in range(index.size(1)))
        for n in range(len(index))
    ]
    return torch.stack(rows)


def logits_by_hand(model, inputs, layer, weights, index):
    """WRN-10-1, its head, and a mix behind one layer."""
    net, states = model.backbone, inputs
    if layer == 'input':
        states = mixed(states, weights, index)
    states = net.conv1(states)
    for number, stage in enumerate(net.layers):
        states = stage(states)
        if layer == f'backbone.layers.{number}':
            states = mixed(states, weights, index)
    states = F.relu(net.bn1(states)).mean(dim=(2, 3))
    return model.head.fc(states)


def replay(model, num_samples, seed):
    """What a loss draws after a seed."""
    torch.manual_seed(seed)
    generator = rank_generator()
    layer = model.layers[int(torch.randint(len(model.layers), (), generator=generator))]
    rows = num_samples if model.per_sample else 1
    weights = draw_weights(rows, model.num_mix, model.alpha, generator)
    index = draw_index(num_samples, model.num_mix, generator)
    return layer, weights.expand(num_samples, -1), index


def no_hooks(model):
    return not any(module._forward_hooks for module in model.modules())


@pytest.mark.parametrize('layer', [*LAYERS, 'backbone.layers.2'])
@pytest.mark.parametrize(('num_mix', 'shape'), [(2, (3, 16, 20)), (3, (1, 12, 8))])
def test_features_are_mixed_at_one_layer(make_classifier, make_batch, layer, num_mix, shape):
    model = make_classifier('ManifoldMixup', in_channels=shape[0], num_mix=num_mix)
    inputs, _ = make_batch(6, shape)
    copy = inputs.clone()
    weights, index = draw_weights(6, num_mix, 1.0), draw_index(6, num_mix)
    expected = logits_by_hand(model, inputs, layer, weights, index)
    found = model.head(model.mixed_features(inputs, weights, index, layer))
    torch.testing.assert_close(found, expected)
    assert torch.equal(inputs, copy)
    assert no_hooks(model)


@pytest.mark.parametrize('soft', [False, True])
@pytest.mark.parametrize('per_sample', [True, False])
def test_the_loss_is_of_equally_mixed_labels(make_classifier, make_batch, soft, per_sample):
    model = make_classifier('ManifoldMixup', per_sample=per_sample)
    inputs, samples = make_batch(soft=soft)
    scores = (
        torch.stack([s.gt_score for s in samples]) if soft else torch.eye(4)[[0, 1, 2, 3, 0, 1]]
    )
    seen = set()
    for seed in range(16):
        layer, weights, index = replay(model, 6, seed)
        seen.add(layer)
        assert len(set(weights[:, 0].tolist())) == (6 if per_sample else 1)
        log_probs = logits_by_hand(model, inputs, layer, weights, index).log_softmax(dim=1)
        expected = -(mixed(scores, weights, index) * log_probs).sum(dim=1).mean()
        torch.manual_seed(seed)
        torch.testing.assert_close(model.loss(inputs, samples)['loss'], expected)
    assert seen == set(LAYERS)


def test_it_is_a_plain_classifier_but_for_its_training(make_classifier, make_batch):
    model, plain = make_classifier('ManifoldMixup'), make_classifier('ImageClassifier')
    plain.load_state_dict(model.state_dict(), strict=True)
    inputs, samples = make_batch()
    for mode in (True, False):
        assert torch.equal(model.train(mode)(inputs), plain.train(mode)(inputs))
    scores = [
        torch.stack([sample.pred_score for sample in part(inputs, samples, mode='predict')])
        for part in (model, plain)
    ]
    assert torch.equal(*scores)


@pytest.mark.parametrize(('size', 'num_mix'), [(1, 2), (2, 3)])
def test_a_batch_too_small_to_mix_is_classified_as_it_is(
    make_classifier, make_batch, size, num_mix
):
    model, plain = (
        make_classifier('ManifoldMixup', num_mix=num_mix),
        make_classifier('ImageClassifier'),
    )
    batch = make_batch(size)
    assert torch.equal(model.loss(*batch)['loss'], plain.loss(*batch)['loss'])


def test_gradients_reach_everything_under_autocast(make_classifier, make_batch):
    model = make_classifier('ManifoldMixup', layers=['backbone.layers.1'])
    inputs, samples = make_batch()
    seen = []
    model.backbone.layers[2].register_forward_pre_hook(lambda module, args: seen.append(args[0]))
    with torch.autocast('cpu', torch.bfloat16):
        loss = model.loss(inputs, samples)['loss']
    loss.backward()
    assert loss.isfinite() and seen[0].dtype == torch.bfloat16
    assert all(weight.grad is not None for weight in model.parameters())


class Fails(nn.Module):
    def forward(self, states):
        raise KeyError('broken')


def test_no_hook_stays_after_an_exception(make_classifier, make_batch):
    model = make_classifier('ManifoldMixup', layers=['backbone.layers.0'])
    model.backbone.layers[1] = Fails()
    with pytest.raises(KeyError, match='broken'):
        model.loss(*make_batch())
    assert no_hooks(model)


class Odd(nn.Module):
    """A backbone with layers of all kinds."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 64, 3)
        self.twice = nn.ReLU()
        self.never = nn.ReLU()
        self.pair = Pair()
        self.scalar = Scalar()

    def forward(self, images):
        states, size = self.pair(self.twice(self.twice(self.stem(images))))
        return (states * self.scalar(states) * size[0],)


class Pair(nn.Module):
    def forward(self, states):
        return states, states.shape[2:]


class Scalar(nn.Module):
    def forward(self, states):
        return states.mean()


def odd(make_classifier, *layers):
    return make_classifier(
        'ManifoldMixup', backbone=dict(type=Odd), layers=[f'backbone.{name}' for name in layers]
    )


def test_of_a_tuple_the_first_is_mixed(make_classifier, make_batch):
    model = odd(make_classifier, 'pair')
    inputs, _ = make_batch()
    weights, index = draw_weights(6, 2, 1.0), draw_index(6, 2)
    (found,) = model.backbone(inputs)
    states = mixed(model.backbone.twice(model.backbone.stem(inputs)), weights, index)
    expected = (states * states.mean() * states.size(2)).mean(dim=(2, 3))
    found = model.mixed_features(inputs, weights, index, 'backbone.pair')
    torch.testing.assert_close(found[0], expected)


@pytest.mark.parametrize(
    ('layer', 'error', 'message'),
    [
        ('twice', RuntimeError, 'ReLU ran 2 times'),
        ('never', RuntimeError, 'ReLU ran 0 times'),
        ('scalar', TypeError, r"'backbone.scalar' must be a tensor \(N, ...\) of the batch of 6"),
    ],
)
def test_layers_that_cannot_be_mixed_are_named(make_classifier, make_batch, layer, error, message):
    model = odd(make_classifier, layer)
    with pytest.raises(error, match=message):
        model.loss(*make_batch())
    assert no_hooks(model)


@pytest.mark.parametrize(
    ('backbone', 'stages'),
    [
        (dict(type='CifarResNet', depth=20), ['layer1', 'layer2']),
        (dict(type='ResNet_CIFAR', depth=18), ['layer1', 'layer2']),
        (dict(type='PreActResNet', base_channels=4), ['layers.0', 'layers.1']),
        (dict(type='CifarShuffleNetV2'), ['layers.0', 'layers.1']),
        (
            dict(type='ConvNeXt', arch=dict(depths=[1] * 4, channels=[4] * 4)),
            ['stages.0', 'stages.1'],
        ),
    ],
)
def test_the_papers_layers_are_found_by_themselves(make_classifier, backbone, stages):
    model = make_classifier('ManifoldMixup', backbone=backbone)
    assert model.layers == ['input', *(f'backbone.{stage}' for stage in stages)]


@pytest.mark.parametrize(
    ('settings', 'message'),
    [
        (dict(num_mix=1), 'num_mix must be an integer >= 2'),
        (dict(num_mix=2.0), 'num_mix must be an integer >= 2'),
        (dict(alpha=0), 'alpha must be a finite number > 0'),
        (dict(layers=[]), 'at least one layer'),
        (dict(layers='input'), 'must list'),
        (dict(layers=['backbone.layer9']), "no such module; its stages are .*'backbone.layers.0'"),
        (dict(layers=['']), 'no such module'),
        (dict(backbone=dict(type='VGG', depth=11)), 'VGG has no stages with a common name'),
        (dict(head=None), 'needs a head with num_classes'),
        (
            dict(head=dict(type='LinearClsHead', num_classes=4, in_channels=64, cal_acc=True)),
            'set cal_acc=False',
        ),
    ],
)
def test_arguments_out_of_range_are_refused(make_classifier, settings, message):
    with pytest.raises((TypeError, ValueError), match=message):
        make_classifier('ManifoldMixup', **settings)


def test_images_without_labels_are_refused(make_classifier, make_batch):
    inputs, samples = make_batch()
    model = make_classifier('ManifoldMixup')
    for sample in samples:
        del sample.gt_label
    with pytest.raises(ValueError, match='have no labels'):
        model.loss(inputs, samples)


def test_a_run_trains_and_ends_with_a_plain_classifier(method_runner, make_classifier, tmp_path):
    runner = method_runner('manifold_mixup')
    assert isinstance(runner.model, ManifoldMixup)
    first = {name: value.clone() for name, value in runner.model.state_dict().items()}
    runner.train()
    content = torch.load(tmp_path / 'run' / 'last.pth', weights_only=False)
    plain = make_classifier(
        'ImageClassifier',
        in_channels=1,
        head=dict(type='LinearClsHead', num_classes=10, in_channels=64),
    )
    plain.load_state_dict(content['state_dict'], strict=True)
    assert not torch.equal(first['backbone.conv1.weight'], plain.backbone.conv1.weight)
