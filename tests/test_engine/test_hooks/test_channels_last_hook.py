"""ChannelsLastHook: another order in memory, the same training."""

import pytest
import torch
from mmengine.hooks import Hook

HOOK = dict(type='ChannelsLastHook')
CLASSIFIER = dict(
    type='mmpretrain.ImageClassifier',
    backbone=dict(type='WideResNet', depth=10, widen_factor=1, in_channels=1),
    neck=dict(type='GlobalAveragePooling'),
    head=dict(type='LinearClsHead', num_classes=10, in_channels=64),
    data_preprocessor=dict(mean=[72.94], std=[90.02], to_rgb=False),
)

pytestmark = pytest.mark.host


class Formats(Hook):
    """Notes how the model's weights and activations lie in memory."""

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        convolutions = [m for m in runner.model.modules() if isinstance(m, torch.nn.Conv2d)]
        self.weights = [_is_channels_last(each.weight) for each in convolutions]
        convolutions[0].register_forward_hook(self._note)

    def _note(self, module, inputs, output):
        self.activation = _is_channels_last(output)


def _is_channels_last(tensor):
    return tensor.is_contiguous(memory_format=torch.channels_last)


@pytest.fixture
def train(probe_runner):
    """Train a small network for an epoch; returns its weights."""

    def train(*hooks, **kwargs):
        loader = dict(collate_fn=dict(type='pseudo_collate'))
        optimizer = dict(optimizer=dict(type='SGD', lr=0.01))
        settings = dict(epochs=1, model=CLASSIFIER, loader=loader, optim_wrapper=optimizer)
        runner = probe_runner(*hooks, **settings, **kwargs)
        runner.train()
        return runner.model.state_dict()

    return train


def test_weights_and_activations_are_in_channels_last_order(train):
    formats = Formats()
    train(HOOK, formats)
    assert formats.weights
    assert all(formats.weights)
    assert formats.activation


def test_training_comes_to_the_same(train, tmp_path):
    plain = train(work_dir=str(tmp_path / 'plain'))
    torch.testing.assert_close(train(HOOK), plain, atol=1e-3, rtol=1e-3)
