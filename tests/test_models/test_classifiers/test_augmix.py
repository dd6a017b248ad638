"""AugMix's loss on views, and that the rest is a plain classifier."""

import numpy as np
import pytest
import torch

from mmtmix.models import AugMixClassifier, ViewsPreprocessor

pytestmark = pytest.mark.host


def views_of(inputs, num_views=3):
    torch.manual_seed(5)
    return torch.cat([inputs, *(torch.randn_like(inputs) for _ in range(num_views - 1))])


def divergence(logits):
    views = [np.exp(view.detach().double().numpy()) for view in logits]
    views = [view / view.sum(axis=1, keepdims=True) for view in views]
    middle = sum(views) / len(views)
    terms = [(view * np.log(view / middle)).sum(axis=1) for view in views]
    return float(np.mean(sum(terms) / len(views)))


@pytest.mark.parametrize(('shape', 'num_views'), [((3, 16, 20), 3), ((1, 12, 8), 2)])
@pytest.mark.parametrize('num_samples', [6, 1])
def test_clean_images_are_classified_and_all_views_compared(
    make_classifier, make_batch, shape, num_views, num_samples
):
    model = make_classifier('AugMixClassifier', in_channels=shape[0], jsd_weight=5.0)
    images, samples = make_batch(num_samples, shape)
    inputs = views_of(images, num_views)
    # training mode: the statistics are those of all views
    logits = make_classifier('ImageClassifier', in_channels=shape[0])(inputs, mode='tensor')
    logits = logits.view(num_views, num_samples, -1)
    labels = torch.cat([sample.gt_label for sample in samples])
    losses = model.loss(inputs, samples)
    assert losses.keys() == {'loss', 'loss_jsd'}
    torch.testing.assert_close(
        losses['loss'], torch.nn.functional.cross_entropy(logits[0], labels)
    )
    assert losses['loss_jsd'].item() == pytest.approx(5 * divergence(logits), rel=1e-4)


def test_soft_labels_and_the_accuracy_of_the_head_are_of_the_clean_images(
    make_classifier, make_batch
):
    images, samples = make_batch(soft=True)
    model = make_classifier('AugMixClassifier')
    scores = torch.stack([sample.gt_score for sample in samples])
    logits = make_classifier('ImageClassifier')(views_of(images), mode='tensor')[:6]
    expected = -(scores * logits.log_softmax(dim=1)).sum(dim=1).mean()
    torch.testing.assert_close(model.loss(views_of(images), samples)['loss'], expected)
    head = dict(type='LinearClsHead', num_classes=4, in_channels=64, cal_acc=True)
    images, samples = make_batch()
    losses = make_classifier('AugMixClassifier', head=head).loss(views_of(images), samples)
    assert losses.keys() == {'loss', 'loss_jsd', 'accuracy_top-1'}


def test_gradients_reach_everything_under_autocast(make_classifier, make_batch):
    model = make_classifier('AugMixClassifier')
    images, samples = make_batch()
    with torch.autocast('cpu', torch.bfloat16):
        loss = model.loss(views_of(images), samples)['loss_jsd']
    loss.backward()
    assert loss.isfinite() and loss.dtype == torch.float32
    assert all(weight.grad is not None for weight in model.parameters())


def test_it_is_a_plain_classifier_but_for_its_training(make_classifier, make_batch):
    model, plain = make_classifier('AugMixClassifier'), make_classifier('ImageClassifier')
    plain.load_state_dict(model.state_dict(), strict=True)
    inputs, _ = make_batch()
    assert torch.equal(model.eval()(inputs), plain.eval()(inputs))
    assert isinstance(model.data_preprocessor, ViewsPreprocessor)


@pytest.mark.parametrize(('count', 'num_samples'), [(6, 6), (7, 3)])
def test_a_batch_without_views_is_refused(make_classifier, make_batch, count, num_samples):
    inputs, _ = make_batch(count)
    _, samples = make_batch(num_samples)
    with pytest.raises(ValueError, match="add dict.type='AugMix'. to the training pipeline"):
        make_classifier('AugMixClassifier').loss(inputs, samples)


def test_arguments_out_of_range_are_refused(make_classifier):
    with pytest.raises(ValueError, match='jsd_weight must be a finite number >= 0'):
        make_classifier('AugMixClassifier', jsd_weight=-1)
    with pytest.raises(TypeError, match='needs a head whose loss is one of its logits'):
        make_classifier('AugMixClassifier', head=None)


def test_a_run_trains_and_ends_with_a_plain_classifier(method_runner, make_classifier, tmp_path):
    runner = method_runner('augmix')
    assert isinstance(runner.model, AugMixClassifier)
    first = {name: value.clone() for name, value in runner.model.state_dict().items()}
    runner.train()
    assert 'train/loss_jsd' in runner.message_hub.log_scalars
    content = torch.load(tmp_path / 'run' / 'last.pth', weights_only=False)
    plain = make_classifier(
        'ImageClassifier',
        in_channels=1,
        head=dict(type='LinearClsHead', num_classes=10, in_channels=64),
    )
    plain.load_state_dict(content['state_dict'], strict=True)
    assert not torch.equal(first['backbone.conv1.weight'], plain.backbone.conv1.weight)
