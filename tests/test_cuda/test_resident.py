"""A data set in a GPU's memory gives the batches of one in main memory, and no host waits."""

import pytest
import torch

from mmtmix.datasets import ResidentDataset, resident_collate
from mmtmix.models import ResidentPreprocessor

pytestmark = [pytest.mark.host, pytest.mark.cuda]

PIPELINE = [
    dict(type='RandomCrop', crop_size=28, padding=2, pad_val=9),
    dict(type='RandomFlip', prob=0.5),
    dict(type='RandomErasing', erase_prob=0.5),
    dict(type='PackInputs'),
]


def build(device):
    images = dict(type='FashionMNISTIdx', indices=64, channels=3, pipeline=PIPELINE)
    dataset = ResidentDataset(images, device=device)
    dataset.full_init()
    settings = dict(mean=[72.0] * 3, std=[90.0] * 3, num_classes=10, to_onehot=True)
    return dataset, ResidentPreprocessor(**settings).to(device)


def test_batches_are_those_of_the_cpu(device, no_sync):
    found = []
    for place in (torch.device('cpu'), device):
        dataset, preprocess = build(place)
        dataset.__getitems__(range(3))  # the first call allocates
        torch.manual_seed(0)
        with no_sync():
            batch = preprocess(resident_collate(dataset.__getitems__(range(40, 64))), True)
        assert batch['inputs'].device.type == place.type
        assert batch['data_samples'][0].gt_score.device.type == place.type
        found.append(batch)
    torch.testing.assert_close(found[1]['inputs'].cpu(), found[0]['inputs'])
    for one, two in zip(found[0]['data_samples'], found[1]['data_samples'], strict=True):
        assert torch.equal(one.gt_score, two.gt_score.cpu())
        assert torch.equal(one.gt_label, two.gt_label.cpu())
        assert one.flip == two.flip
