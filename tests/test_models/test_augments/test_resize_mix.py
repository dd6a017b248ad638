"""ResizeMix, image by image."""

import pytest
import torch
import torch.nn.functional as F

from mmtmix.models import SampleResizeMix

pytestmark = pytest.mark.host


@pytest.mark.parametrize('shape', [(3, 16, 16), (1, 12, 20)])
def test_the_whole_partner_is_resized_into_a_box(make_batch, shape):
    inputs, scores = make_batch(8, shape)
    torch.manual_seed(0)
    mixed, _, details = SampleResizeMix()(inputs, scores, return_details=True)
    for n in range(8):
        rows, columns = details['masks'][n, 1, 0].nonzero(as_tuple=True)
        top, bottom = rows.min(), rows.max() + 1
        left, right = columns.min(), columns.max() + 1
        partner = inputs[details['index'][n, 1], None]
        expected = inputs[n].clone()
        expected[:, top:bottom, left:right] = F.interpolate(
            partner, (int(bottom - top), int(right - left)), mode='bilinear'
        )[0]
        torch.testing.assert_close(mixed[n], expected, atol=1e-5, rtol=1e-5)


def test_a_mix_is_exactly_the_masked_warped_images(make_batch):
    inputs, scores = make_batch()
    torch.manual_seed(0)
    mixed, _, details = SampleResizeMix(num_mix=3)(inputs, scores, return_details=True)
    assert torch.equal((details['masks'] * details['warped']).sum(dim=1), mixed)


def sides(batch, **settings):
    inputs, scores = batch
    inputs, scores = inputs.repeat(50, 1, 1, 1), scores.repeat(50, 1)
    torch.manual_seed(0)
    _, _, details = SampleResizeMix(**settings)(inputs, scores, return_details=True)
    return details['weights'][:, 1].sqrt()


def test_the_side_is_uniform_in_the_range_by_default(make_batch):
    drawn = sides(make_batch(8, (1, 40, 40)))
    assert drawn.min() >= 0.1 and drawn.max() <= 0.8
    quarters = torch.quantile(drawn, torch.tensor([0.25, 0.5, 0.75]))
    torch.testing.assert_close(quarters, torch.tensor([0.275, 0.45, 0.625]), atol=0.05, rtol=0)


def test_the_range_may_be_of_the_own_share(make_batch):
    lam = 1 - sides(make_batch(8, (1, 40, 40)), lam_range='lam').square()
    assert lam.min() >= 0.1 - 0.02 and lam.max() <= 0.8 + 0.02
    quarters = torch.quantile(lam, torch.tensor([0.25, 0.5, 0.75]))
    torch.testing.assert_close(quarters, torch.tensor([0.275, 0.45, 0.625]), atol=0.06, rtol=0)


def test_a_point_range_fixes_the_box(make_batch):
    drawn = sides(make_batch(8, (1, 40, 40)), lam_min=0.5, lam_max=0.5)
    assert torch.equal(drawn, torch.full((400,), 0.5))


@pytest.mark.parametrize('bounds', [(-0.1, 0.8), (0.1, 1.1), (0.8, 0.1), (float('nan'), 0.5)])
def test_a_bad_range_is_refused(bounds):
    with pytest.raises(ValueError, match='lam_m(in|ax) must be a finite number >= '):
        SampleResizeMix(lam_min=bounds[0], lam_max=bounds[1])


def test_an_unknown_range_is_refused():
    with pytest.raises(ValueError, match="lam_range must be one of .*'area'"):
        SampleResizeMix(lam_range='area')
