"""Predictions are those of a plain test, and their file fits one checkpoint."""

import numpy as np
import pytest
import torch
from mmengine.config import ConfigDict
from mmpretrain.registry import DATASETS, MODELS

from mmtmix.evaluation.identity import image_list_digest, images_digest, network_digest
from mmtmix.evaluation.image_loader import balanced_indices, build_image_loader
from mmtmix.evaluation.predictions import Predictions, predict

pytestmark = pytest.mark.host


def some(names=('a', 'b', 'c'), **changes):
    generator = np.random.default_rng(0)
    scores = generator.dirichlet(np.ones(3), 6).astype(np.float32)
    labels = generator.integers(3, size=6)
    fields = dict(scores=scores, labels=labels, classes=names, checkpoint='0' * 64)
    return Predictions(**{**fields, **changes})


def by_hand(cfg, checkpoint):
    """Softmax of the network's logits for the normalised images of the data set."""
    model = MODELS.build(dict(cfg.model, _scope_='mmpretrain')).eval()
    model.load_state_dict(torch.load(checkpoint)['state_dict'])
    dataset = DATASETS.build(dict(cfg.test_dataloader.dataset, _scope_='mmpretrain'))
    items = [dataset[number] for number in range(len(dataset))]
    images = torch.stack([item['inputs'] for item in items]).float()
    stats = cfg.data_preprocessor
    with torch.no_grad():
        logits = model((images - stats.mean[0]) / stats.std[0], mode='tensor')
    return logits.softmax(dim=1).numpy(), [int(item['data_samples'].gt_label) for item in items]


def test_scores_are_those_of_the_network_in_the_order_of_the_set(trained):
    cfg, checkpoint = trained
    scores, labels = by_hand(cfg, checkpoint)
    found = predict(cfg, checkpoint, 'cpu')
    np.testing.assert_allclose(found.scores, scores, atol=1e-6)
    assert found.labels.tolist() == labels
    assert found.classes[0] == 'T-shirt/top' and found.dtype == 'float32'
    assert found.error == pytest.approx(100 * np.mean(scores.argmax(1) != labels))


def test_a_part_has_every_class_equally_often(trained):
    cfg, checkpoint = trained
    whole, part = (predict(cfg, checkpoint, 'cpu', num_images=num) for num in (None, 10))
    assert np.bincount(part.labels).tolist() == [1] * 10
    rows = {tuple(row) for row in whole.scores.round(5)}
    assert {tuple(row) for row in part.scores.round(5)} <= rows
    assert part.test_set != whole.test_set


def test_balanced_indices_by_seed():
    labels = np.repeat([0, 1, 5], [50, 3, 40])
    first = balanced_indices(labels, 30, seed=0)
    assert np.bincount(labels[first]).tolist()[1] == 3  # all that there are
    assert abs(np.bincount(labels[first])[0] - np.bincount(labels[first])[5]) <= 1
    assert (np.diff(first) > 0).all()
    assert (balanced_indices(labels, 30, seed=0) == first).all()
    assert (balanced_indices(labels, 30, seed=1) != first).any()
    assert len(balanced_indices(labels, 1000, seed=0)) == len(labels)


def test_a_shuffled_loader_that_drops_images_gives_all_in_order(trained):
    cfg, _ = trained
    plain = [int(s.gt_label) for b in build_image_loader(cfg) for s in b['data_samples']]
    cfg.test_dataloader.update(sampler=dict(type='DefaultSampler', shuffle=True), drop_last=True)
    assert [int(s.gt_label) for b in build_image_loader(cfg) for s in b['data_samples']] == plain
    assert len(plain) == 24


def test_a_resident_set_is_read_image_by_image(trained):
    cfg, checkpoint = trained
    scores = predict(cfg, checkpoint, 'cpu').scores
    inner = cfg.test_dataloader.dataset
    cfg.test_dataloader.dataset = ConfigDict(type='ResidentDataset', dataset=inner)
    cfg.test_dataloader.collate_fn = dict(type='resident_collate')
    np.testing.assert_array_equal(predict(cfg, checkpoint, 'cpu').scores, scores)


def test_a_file_holds_all_and_fits_its_checkpoint_alone(trained, tmp_path):
    cfg, checkpoint = trained
    found = predict(cfg, checkpoint, 'cpu')
    found.save(tmp_path / 'p.npz')
    image_list = image_list_digest(build_image_loader(cfg).dataset)
    loaded = Predictions.load(
        tmp_path / 'p.npz', checkpoint, images_digest(cfg), network_digest(cfg), image_list
    )
    np.testing.assert_array_equal(loaded.scores, found.scores)
    assert (loaded.labels.tolist(), loaded.classes) == (found.labels.tolist(), found.classes)
    (tmp_path / 'other.pth').write_bytes(b'another')
    with pytest.raises(ValueError, match='of another checkpoint'):
        Predictions.load(tmp_path / 'p.npz', tmp_path / 'other.pth')
    with pytest.raises(ValueError, match='of another test set'):
        Predictions.load(tmp_path / 'p.npz', checkpoint, images_digest(cfg, num_images=5))
    with pytest.raises(ValueError, match='of other images or labels'):
        Predictions.load(tmp_path / 'p.npz', checkpoint, image_list='0' * 16)
    cfg.merge_from_dict({'model.data_preprocessor': dict(mean=[0.0], std=[1.0])})
    with pytest.raises(ValueError, match='another normalisation'):
        Predictions.load(tmp_path / 'p.npz', checkpoint, network=network_digest(cfg))
    assert [path.name for path in tmp_path.glob('*.npz')] == ['p.npz']


def test_a_file_without_names_of_classes(tmp_path):
    some(names=None).save(tmp_path / 'p.npz')
    assert Predictions.load(tmp_path / 'p.npz').classes is None


def test_a_damaged_file_or_one_with_objects_is_refused(tmp_path):
    (tmp_path / 'p.npz').write_bytes(b'PK nothing')
    with pytest.raises(ValueError, match='damaged'):
        Predictions.load(tmp_path / 'p.npz')
    np.savez(tmp_path / 'q.npz', scores=np.array([object()]), labels=np.zeros(1, int))
    with pytest.raises(ValueError, match='damaged'):
        Predictions.load(tmp_path / 'q.npz')
    with pytest.raises(FileNotFoundError, match='do not exist'):
        Predictions.load(tmp_path / 'none.npz')
    with pytest.raises(ValueError, match='npz'):
        some().save(tmp_path / 'p.json')


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        (dict(labels=np.zeros(5, np.int64)), r'\(N, C\)'),
        (dict(labels=np.full(6, 3)), 'labels must be 0 to 2'),
        (dict(labels=np.zeros(6, np.int32)), 'int64'),
        (dict(scores=np.full((6, 3), np.nan, np.float32)), 'finite'),
        (dict(classes=('a',)), '3 names'),
    ],
)
def test_arrays_that_do_not_fit_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        some(**changes)


def test_heads_of_several_labels_and_other_models_are_refused(trained):
    cfg, checkpoint = trained
    cfg.model.head = ConfigDict(type='MultiLabelLinearClsHead', num_classes=10, in_channels=64)
    with pytest.raises(ValueError, match='several labels per image'):
        predict(cfg, checkpoint, 'cpu')


def test_a_config_without_a_test_set_or_weights_that_do_not_fit(trained, tmp_path):
    cfg, checkpoint = trained
    cfg.model.head.num_classes = 7
    with pytest.raises(ValueError, match='of another shape'):
        predict(cfg, checkpoint, 'cpu')
    cfg.test_dataloader = None
    with pytest.raises(ValueError, match='needs a test_dataloader'):
        build_image_loader(cfg)
