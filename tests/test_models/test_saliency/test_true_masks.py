"""True masks reach an augment with their batch, by every data preprocessor, or are missed."""

import numpy as np
import pytest
import torch
from mmengine.dataset import default_collate, pseudo_collate
from mmengine.registry import DefaultScope
from mmengine.runner import Runner
from mmpretrain.registry import BATCH_AUGMENTS, DATASETS, MODELS
from mmpretrain.structures import DataSample

from mmtmix.datasets.resident.samples import ResidentSamples
from mmtmix.models import TrueMasks, object_masks
from mmtmix.models.saliency import true_masks
from mmtmix.recipes import resident
from mmtmix.utils import load_config

pytestmark = pytest.mark.host
SEEING = dict(
    type='SampleCutMix',
    labels=dict(type='VisibleLabels', saliency=dict(type='TrueMasks'), per_image=False),
)
KINDS = ['ClsDataPreprocessor', 'RepeatMixPreprocessor', 'ResidentPreprocessor']


def items(count=6, kind=np.uint8):
    """Image i has the value i on its object, and 100 elsewhere."""
    generator = np.random.default_rng(0)
    found = []
    for number in range(count):
        mask = generator.random((8, 10)) < 0.4
        image = np.where(mask, number, 100).astype(np.uint8)
        sample = DataSample(metainfo=dict(gt_mask=mask.astype(kind)))
        sample.set_gt_label(number)
        found.append(dict(inputs=torch.from_numpy(image)[None], data_samples=sample))
    return found


def build(kind, augment=SEEING, **settings):
    settings = dict(dict(mean=[0.0], std=[1.0], num_classes=6), **settings)
    return MODELS.build(dict(type=kind, batch_augments=dict(augments=augment), **settings))


@pytest.mark.parametrize('kind', KINDS)
@pytest.mark.parametrize('collate', [default_collate, pseudo_collate])
def test_labels_count_the_object_pixels_that_a_mix_shows(kind, collate):
    preprocessor = build(kind)
    for _ in range(2):
        data = preprocessor(collate(items()), training=True)
        for image, sample in zip(data['inputs'], data['data_samples'], strict=True):
            counts = torch.stack([(image == number).sum() for number in range(6)]).float()
            torch.testing.assert_close(sample.gt_score, counts / counts.sum())
        assert true_masks._handed is None


@pytest.mark.parametrize('mix', ['SampleCutMix', 'ObjectPaste'])
def test_labels_of_a_resident_set_count_the_object_pixels_that_a_mix_shows(mix):
    """The path of every oracle: crops and flips of a batch, its masks, the mix and its labels."""
    loader = load_config('configs/_base_/datasets/glyphs.py').train_dataloader.to_dict()
    loader = resident(dict(loader, batch_size=20), device='cpu', inherits=False)
    glyphs = dict(loader['dataset']['dataset'], num_images=60, num_classes=10)
    augment = dict(SEEING, type=mix)
    if mix == 'ObjectPaste':
        augment.update(saliency='TrueMasks', shape='mask', opacity='full')
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        painted = DATASETS.build(glyphs)
        for number in range(60):  # its class on the object, and black elsewhere
            shown = painted._images.marks[number][..., None] > 0
            painted._images.pixels[number] = shown * (100 + number % 10)
        loader['dataset']['dataset'] = painted
        loader = Runner.build_dataloader(loader, seed=0)
    preprocessor = build('ResidentPreprocessor', augment, num_classes=10)
    torch.manual_seed(0)
    epochs, mixed = [], 0
    for epoch in range(2):
        loader.sampler.set_epoch(epoch)
        objects = []
        for batch in loader:
            objects += [sample.gt_mask for sample in batch['data_samples']]
            data = preprocessor(batch, training=True)
            for image, sample in zip(data['inputs'], data['data_samples'], strict=True):
                counts = torch.stack([(image[0] == 100 + c).sum() for c in range(10)]).float()
                if counts.sum() > 0:  # otherwise labels are the drawn weights
                    torch.testing.assert_close(sample.gt_score, counts / counts.sum())
                    mixed += int((counts > 0).sum() == 2)
        epochs.append({mask.numpy().tobytes() for mask in objects})
    assert mixed > 60  # of 120
    # crops and flips are new in each epoch
    assert all(len(masks) == 60 for masks in epochs) and len(epochs[0] & epochs[1]) < 10


def test_samples_that_choose_it_get_their_own_masks():
    chosen = dict(
        type='ChooseAugment', augments=[SEEING, dict(type='SampleMixup')], probs=[0.4, 0.3]
    )
    torch.manual_seed(0)
    data = build('RepeatMixPreprocessor', chosen, repeat=4)(default_collate(items()), True)
    exact = 0
    for image, sample in zip(data['inputs'], data['data_samples'], strict=True):
        if set(image.unique().tolist()) <= {*range(6), 100.0} and len(image.unique()) == 3:
            counts = torch.stack([(image == number).sum() for number in range(6)]).float()
            torch.testing.assert_close(sample.gt_score, counts / counts.sum())
            exact += 1
    assert exact >= 4


def test_validation_needs_no_masks():
    batch = items()
    for item in batch:
        item['data_samples'].pop('gt_mask')
    data = build('ClsDataPreprocessor')(default_collate(batch))
    assert len(data['data_samples']) == 6
    with pytest.raises(ValueError, match='data sample 0 of the batch has no gt_mask.*PackInputs'):
        build('ClsDataPreprocessor')(default_collate(batch), training=True)


def test_masks_that_come_as_one_tensor_are_not_taken_apart():
    masks = torch.rand(6, 8, 10) < 0.5
    samples = ResidentSamples([DataSample() for _ in range(6)], None, None, masks)
    with object_masks(samples):
        maps = TrueMasks()(torch.rand(6, 3, 8, 10), torch.eye(6))
    assert torch.equal(maps, masks[:, None].float())


def test_masks_of_a_batch_that_failed_are_forgotten():
    preprocessor = build('ClsDataPreprocessor')
    batch = default_collate(items())
    batch['data_samples'][3].set_field(np.ones((4, 4), np.uint8), 'gt_mask', field_type='metainfo')
    with pytest.raises(ValueError, match=r'one size in a batch, got \[\(4, 4\), \(8, 10\)\]'):
        preprocessor(batch, training=True)
    assert true_masks._handed is None
    with pytest.raises(RuntimeError, match='none were handed over.*object_masks'):
        TrueMasks()(torch.rand(6, 1, 8, 10), torch.eye(6))


@pytest.mark.parametrize('kind', [bool, np.uint8, np.int64])
def test_masks_of_any_integer_type_come_as_zeros_and_ones(kind):
    samples = [item['data_samples'] for item in items(kind=kind)]
    with object_masks(samples):
        maps = TrueMasks()(torch.rand(6, 3, 8, 10), torch.eye(6))
    assert maps.dtype == torch.float32 and maps.shape == (6, 1, 8, 10)
    expected = np.stack([sample.gt_mask for sample in samples])[:, None].astype(np.float32)
    assert torch.equal(maps, torch.from_numpy(expected))
    stacked = torch.from_numpy(expected).bool()
    with object_masks(stacked), object_masks(stacked[:, 0]):
        assert torch.equal(TrueMasks()(torch.rand(6, 3, 8, 10), torch.eye(6)), maps)


def test_wrong_masks_are_refused():
    inputs = torch.rand(6, 3, 8, 10)
    with object_masks(torch.ones(6, 8, 10)), pytest.raises(TypeError, match='float32.*uint8'):
        TrueMasks()(inputs, torch.eye(6))
    for shape in ((5, 8, 10), (6, 10, 8), (6, 16, 20)):
        masks = torch.ones(shape).bool()
        with object_masks(masks), pytest.raises(ValueError, match=r'gt_mask must be \(6, 1, 8'):
            TrueMasks()(inputs, torch.eye(6))


def test_they_are_a_source_for_masks_as_well():
    augment = BATCH_AUGMENTS.build(
        dict(type='AttentiveMix', saliency='TrueMasks', num_cells=1, grid_size=2)
    )
    masks = torch.zeros(4, 8, 8).bool()
    masks[:, :4, 4:] = True
    with object_masks(masks):
        _, _, details = augment(torch.rand(4, 3, 8, 8), torch.eye(4), return_details=True)
    assert torch.equal(details['masks'][:, 1, 0].bool(), masks)
