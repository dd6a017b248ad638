"""What holds for every mixer that needs no solver: shapes, sums, dtypes, seeds and refusals."""

from pathlib import Path

import pytest
import torch
from mmengine.registry import DefaultScope
from mmpretrain.registry import BATCH_AUGMENTS, MODELS

from mmtmix.engine.stages import plan_stages
from mmtmix.models import Draw, SaliencySource
from mmtmix.models.augments import build_augment
from mmtmix.models.draw import REPLAY
from mmtmix.utils import load_config

pytestmark = pytest.mark.host

ONE_HOT = ['SampleCutMix', 'SampleResizeMix', 'SaliencyMix', 'FMix', 'GridMix', 'AttentiveMix']
SEEING = ['SaliencyMix', 'AttentiveMix', 'CAMMix']
KINDS = ['SampleMixup', 'SmoothMix', 'CAMMix', *ONE_HOT]
PAIRS_ONLY = ['AttentiveMix']
FOLDERS = ['resizemix', 'saliencymix', 'fmix', 'gridmix', 'smoothmix', 'attentivemix', 'cammix']
SIZES = [(2, (3, 16, 16)), (2, (1, 12, 20)), (3, (1, 12, 20)), (4, (3, 16, 11))]
EVERY = pytest.mark.parametrize('kind', KINDS)
EVERY_SIZE = pytest.mark.parametrize(
    ('kind', 'num_mix', 'shape'),
    [(kind, *size) for kind in KINDS for size in SIZES if size[0] == 2 or kind not in PAIRS_ONLY],
)


class Brightness(SaliencySource):
    """Sees bright pixels."""

    def __call__(self, batch_inputs, batch_scores):
        return batch_inputs.float().amax(dim=1, keepdim=True).exp()


def build(kind, num_mix=2, **settings):
    if kind in ('AttentiveMix', 'CAMMix'):
        settings.setdefault('saliency', Brightness())
    return BATCH_AUGMENTS.build(dict(type=kind, num_mix=num_mix, **settings))


def mix(kind, batch, seed=0, **settings):
    torch.manual_seed(seed)
    return build(kind, **settings)(*batch, return_details=True)


@EVERY_SIZE
def test_a_mix_and_its_target_add_up(make_batch, kind, num_mix, shape):
    inputs, scores = make_batch(8, shape)
    mixed, targets, details = mix(kind, (inputs, scores), num_mix=num_mix)
    assert details['weights'].shape == details['index'].shape == (8, num_mix)
    assert details['warped'].shape == (8, num_mix, *shape)
    assert details['masks'].shape == (8, num_mix, 1, *shape[1:])
    if kind in SEEING:
        assert details['saliency'].shape == (8, num_mix, 1, *shape[1:])
    for n in range(8):
        image, label = torch.zeros(shape), torch.zeros(10)
        for i, partner in enumerate(details['index'][n]):
            image += details['masks'][n, i] * details['warped'][n, i]
            label += details['weights'][n, i] * scores[partner]
        torch.testing.assert_close(mixed[n], image)
        torch.testing.assert_close(targets[n], label)
        assert torch.equal(details['warped'][n, 0], inputs[n])
    torch.testing.assert_close(targets.sum(dim=1), torch.ones(8))


@EVERY_SIZE
def test_weights_are_the_areas_of_masks_that_sum_to_one(make_batch, kind, num_mix, shape):
    _, _, details = mix(kind, make_batch(8, shape), num_mix=num_mix)
    masks = details['masks']
    torch.testing.assert_close(masks.sum(dim=1), torch.ones(8, 1, *shape[1:]))
    torch.testing.assert_close(masks.mean(dim=(2, 3, 4)), details['weights'])
    assert masks.dtype == details['weights'].dtype == torch.float32
    assert (masks >= 0).all()
    if kind in ONE_HOT:
        assert set(masks.unique().tolist()) == {0.0, 1.0}
    if kind not in PAIRS_ONLY:
        assert len(set(details['weights'][:, 0].tolist())) > 3


@EVERY
def test_asking_for_details_changes_nothing(make_batch, kind):
    batch = make_batch()
    mixed, targets, _ = mix(kind, batch)
    torch.manual_seed(0)
    plain = build(kind)(*batch)
    assert torch.equal(plain[0], mixed) and torch.equal(plain[1], targets)


@EVERY
@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16])
def test_half_precision_images_stay_so_and_weights_do_not(make_batch, kind, dtype):
    # whole numbers, that the saliency is the same
    inputs, scores = make_batch()
    inputs = (16 * inputs).round()
    settings = dict(saliency=Brightness()) if kind in SEEING else {}
    expected, same_targets, _ = mix(kind, (inputs, scores), **settings)
    mixed, targets, details = mix(kind, (inputs.to(dtype), scores), **settings)
    assert mixed.dtype == details['warped'].dtype == dtype
    assert details['weights'].dtype == details['masks'].dtype == torch.float32
    assert torch.equal(targets, same_targets)
    torch.testing.assert_close(mixed.float(), expected, atol=0.5, rtol=0.02)


@EVERY
@pytest.mark.parametrize('num_samples', [1, 2, 6])
def test_the_arguments_are_not_written_to(make_batch, kind, num_samples):
    batch = make_batch(num_samples)
    before = [tensor.clone() for tensor in batch]
    mixed, targets, _ = mix(kind, batch)
    mixed.zero_()
    targets.zero_()
    assert all(torch.equal(a, b) for a, b in zip(batch, before, strict=True))


@EVERY
def test_a_single_image_comes_back_unmixed(make_batch, kind):
    inputs, scores = make_batch(1)
    mixed, targets, details = mix(kind, (inputs, scores))
    assert torch.equal(mixed, inputs) and torch.equal(targets, scores)
    assert torch.equal((details['masks'] * details['warped']).sum(dim=1), mixed)
    assert {*details, *REPLAY} == set(mix(kind, make_batch())[2])
    if kind in SEEING:
        assert details['saliency'].shape == (1, 2, 1, 1, 1) and not details['saliency'].any()


@EVERY
def test_a_seed_repeats_the_mix(make_batch, kind):
    batch = make_batch()
    first, second, other = (mix(kind, batch, seed)[:2] for seed in (1, 1, 2))
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))
    assert not torch.equal(first[0], other[0])


@EVERY
def test_more_or_fewer_mixes_than_images_can_be_made(make_batch, kind):
    """As a generated data set does."""
    inputs, scores = make_batch(6)
    mixer = build(kind)
    for index in ([[0, 5]], [[0, 1], [1, 2], [0, 3], [4, 5], [3, 4], [2, 0], [5, 1], [1, 0]]):
        index = torch.tensor(index)
        draw = Draw(torch.full(index.shape, 0.5), index, torch.Generator())
        mixed, details = mixer.mix(inputs, scores, draw)
        assert mixed.shape == (len(index), *inputs.shape[1:])
        _, details = mixer.mix_with_details(inputs, scores, draw)
        assert torch.equal(details['warped'][:, 0], inputs[index[:, 0]])
        assert details['weights'].shape == index.shape


@EVERY
def test_a_batch_can_be_mixed_several_times(make_batch, kind):
    inputs, scores = make_batch()
    torch.manual_seed(0)
    mixed, targets, details = build(kind)(inputs, scores, return_details=True, repeat=3)
    assert mixed.shape == (18, *inputs.shape[1:]) and targets.shape == (18, 10)
    torch.testing.assert_close((details['masks'] * details['warped']).sum(dim=1), mixed)
    torch.testing.assert_close(targets.sum(dim=1), torch.ones(18))
    assert torch.equal(details['index'][:, 0], torch.arange(6).repeat(3))


@EVERY
def test_bad_settings_are_refused(kind):
    with pytest.raises(ValueError, match='num_mix must be .*2.*got 1'):
        build(kind, num_mix=1)
    if kind not in PAIRS_ONLY:
        with pytest.raises(ValueError, match='alpha must be a finite number > 0'):
            build(kind, alpha=0)


@pytest.mark.parametrize('folder', FOLDERS)
def test_the_mixer_of_the_config_mixes(folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = f'configs/{folder}/wrn16_fashionmnist_mini.py'
    *needed, own = plan_stages(path, load_config(path))
    for stage in needed:
        with DefaultScope.overwrite_default_scope('mmpretrain'):
            model = MODELS.build(stage.cfg.model)
        Path(stage.cfg.work_dir).mkdir(parents=True)
        torch.save(dict(state_dict=model.state_dict()), stage.produces)
    mixer = build_augment(own.cfg)
    inputs = torch.randn(8, 1, 28, 28)
    scores = torch.eye(10)[:8]
    torch.manual_seed(0)
    mixed, targets = mixer(inputs, scores)
    assert not torch.equal(mixed, inputs)
    torch.testing.assert_close(targets.sum(dim=1), torch.ones(8))
    assert (targets > 0).sum(dim=1).max() == 2
