"""Clean batches outside of a run, and the number of classes."""

import pytest
import torch
from mmengine.config import Config
from mmpretrain.structures import DataSample

from mmtmix.models.data_preprocessors.task_preprocessor import TaskPreprocessor, count_classes

pytestmark = pytest.mark.host


def items(*shapes):
    generator = torch.Generator().manual_seed(0)
    return [
        dict(
            inputs=torch.randint(256, shape, dtype=torch.uint8, generator=generator),
            data_samples=DataSample().set_gt_label(label),
        )
        for label, shape in enumerate(shapes)
    ]


@pytest.mark.parametrize('to_rgb', [False, True])
def test_images_are_normalised_and_labels_one_hot(to_rgb):
    mean, std = [100.0, 110.0, 120.0], [55.0, 50.0, 45.0]
    batch = items((3, 8, 6), (3, 8, 6))
    settings = dict(mean=mean, std=std, to_rgb=to_rgb)
    inputs, scores = TaskPreprocessor(settings, 4, 'cpu')(batch)
    images = torch.stack([item['inputs'] for item in batch]).float()
    if to_rgb:
        images = images[:, [2, 1, 0]]
    expected = (images - torch.tensor(mean)[:, None, None]) / torch.tensor(std)[:, None, None]
    torch.testing.assert_close(inputs, expected)
    assert torch.equal(scores, torch.eye(4)[:2])


def test_batch_augments_and_labels_of_the_settings_give_way():
    augments = dict(augments=[dict(type='Mixup', alpha=1.0)])
    settings = dict(batch_augments=augments, to_onehot=False, num_classes=99)
    inputs, scores = TaskPreprocessor(settings, 4, 'cpu')(items(*[(1, 5, 5)] * 4))
    assert torch.equal(inputs, torch.stack([i['inputs'] for i in items(*[(1, 5, 5)] * 4)]).float())
    assert torch.equal(scores, torch.eye(4))


def test_images_of_different_sizes_are_refused():
    sizes = r'different sizes \[\(3, 8, 6\), \(3, 8, 8\)\].*resize'
    with pytest.raises(ValueError, match=sizes):
        TaskPreprocessor(dict(), 4, 'cpu')(items((3, 8, 8), (3, 8, 6)))


class Named:
    def __init__(self, *classes):
        self.metainfo = dict(classes=classes)


@pytest.mark.parametrize(
    ('cfg', 'classes', 'expected'),
    [
        (dict(data_preprocessor=dict(num_classes=5)), 'abc', 5),
        (dict(model=dict(data_preprocessor=dict(num_classes=4))), 'abc', 4),
        (dict(model=dict(head=dict(num_classes=6)), data_preprocessor=dict()), 'abc', 6),
        (dict(model=dict(), data_preprocessor=dict(mean=[1])), 'abc', 3),
        (dict(model=dict()), 'abc', 3),
        (dict(model=dict(head=None), data_preprocessor=None), 'abc', 3),
        (dict(model=dict()), '', None),
    ],
)
def test_the_number_of_classes_is_found_or_asked_for(cfg, classes, expected):
    cfg = Config(dict(model=dict()) | cfg)
    if expected is None:
        with pytest.raises(ValueError, match=r'unknown; set data_preprocessor=dict\(num_classes'):
            count_classes(cfg, Named(*classes))
    else:
        assert count_classes(cfg, Named(*classes)) == expected
