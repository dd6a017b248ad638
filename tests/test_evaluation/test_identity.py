"""Digests differ where predictions would, and only there."""

import numpy as np
import pytest
from mmengine.config import Config
from mmpretrain.datasets import CustomDataset
from PIL import Image

from mmtmix.evaluation.identity import image_list_digest, network_digest

pytestmark = pytest.mark.host


def network(**changes):
    cfg = Config(
        dict(
            model=dict(type='ImageClassifier', backbone=dict(type='A', depth=1), train_cfg=dict()),
            data_preprocessor=dict(mean=[1.0], std=[2.0]),
        )
    )
    cfg.merge_from_dict(changes)
    return network_digest(cfg)


@pytest.mark.parametrize(
    ('name', 'value', 'is_other'),
    [
        ('data_preprocessor.mean', [0.0], True),
        ('model.data_preprocessor', dict(mean=[0.0], std=[1.0]), True),
        ('model.backbone.depth', 2, True),
        ('model.backbone.type', CustomDataset, True),
        ('model.train_cfg.augments', dict(type='Mixup'), False),
        ('model.pretrained', 'x.pth', False),
        ('model.backbone.init_cfg', dict(type='Kaiming'), False),
        ('train_dataloader', dict(batch_size=3), False),
    ],
)
def test_a_network_is_its_settings_and_its_normalisation(name, value, is_other):
    assert (network(**{name: value}) != network()) is is_other


def test_a_list_of_images_is_names_and_labels(tmp_path):
    def write(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new('RGB', (4, 4)).save(path)

    def digest(root):
        return image_list_digest(CustomDataset(str(root)))

    for root in ('val', 'moved/val'):
        for name in ('a/x.png', 'a/y.png', 'b/x.png'):
            write(tmp_path / root / name)
    first = digest(tmp_path / 'val')
    assert digest(tmp_path / 'moved' / 'val') == first
    write(tmp_path / 'val/b/y.png')
    more = digest(tmp_path / 'val')
    (tmp_path / 'val/b/y.png').rename(tmp_path / 'val/a/z.png')
    assert len({first, more, digest(tmp_path / 'val')}) == 3


def test_images_in_memory_count_with_their_pixels():
    class Memory:
        def __init__(self, image, label=1):
            self.item = dict(img=np.full((2, 2), image, np.uint8), gt_label=label)

        def __len__(self):
            return 2

        def get_data_info(self, number):
            return self.item

    found = [image_list_digest(each) for each in (Memory(0), Memory(0), Memory(1), Memory(0, 2))]
    assert found[0] == found[1] and len(set(found)) == 3
