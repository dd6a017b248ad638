"""Attentive CutMix: the partner's cells."""

import pytest
import torch

from mmtmix.models import AttentiveMix, SaliencySource, TeacherCAM

pytestmark = pytest.mark.host


class Given(SaliencySource):
    """Saliency that is drawn once."""

    def __init__(self, size):
        self.maps = torch.rand(6, 1, *size, generator=torch.Generator().manual_seed(1))

    def __call__(self, batch_inputs, batch_scores):
        return self.maps


@pytest.mark.parametrize(('cells', 'grid'), [(6, 7), (1, 4), (16, 4)])
@pytest.mark.parametrize('shape', [(3, 28, 28), (1, 20, 33)])
def test_the_partners_highest_cells_replace_the_samples(make_batch, cells, grid, shape):
    inputs, scores = make_batch(6, shape)
    mixer = AttentiveMix(saliency=Given((grid, grid)), num_cells=cells, grid_size=grid)
    mixed, targets, details = mixer(inputs, scores, return_details=True)
    for n in range(6):
        partner = int(details['index'][n, 1])
        values = mixer.saliency.maps[partner, 0].flatten()
        highest = set(values.argsort(descending=True)[:cells].tolist())
        expected, area = inputs[n].clone(), 0
        for row in range(shape[1]):
            for column in range(shape[2]):
                cell = row * grid // shape[1] * grid + column * grid // shape[2]
                if cell in highest:
                    expected[:, row, column] = inputs[partner, :, row, column]
                    area += 1
        assert torch.equal(mixed[n], expected)
        lam = 1 - area / (shape[1] * shape[2])
        torch.testing.assert_close(targets[n], lam * scores[n] + (1 - lam) * scores[partner])


def test_by_default_six_cells_of_49(make_batch):
    _, _, details = AttentiveMix(saliency=Given((8, 8)))(
        *make_batch(6, (3, 28, 28)), return_details=True
    )
    torch.testing.assert_close(details['weights'][:, 1], torch.full((6,), 6 / 49))


def test_a_teachers_activation_maps_are_the_attention(make_batch, make_teacher):
    inputs, scores = make_batch()
    teacher = make_teacher()
    mixer = AttentiveMix(teacher)
    assert isinstance(mixer.saliency, TeacherCAM)
    _, _, details = mixer(inputs, scores, return_details=True)
    expected = teacher.saliency(inputs, scores.argmax(dim=1))[1]
    torch.testing.assert_close(details['saliency'], expected[details['index']])


@pytest.mark.parametrize(
    ('settings', 'message'),
    [
        (dict(num_mix=3), 'num_mix must be an integer equal to 2, got 3'),
        (dict(grid_size=0), 'grid_size must be an integer >= 1'),
        (dict(num_cells=0), 'num_cells must be an integer >= 1 and <= 49, got 0'),
        (dict(num_cells=17, grid_size=4), 'num_cells must be an integer >= 1 and <= 16, got 17'),
        (dict(saliency=None), 'give either a teacher'),
        (dict(teacher=dict()), 'give either a teacher'),
    ],
)
def test_bad_settings_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        AttentiveMix(**{'saliency': Given((7, 7)), **settings})


def test_images_smaller_than_the_grid_are_refused(make_batch):
    with pytest.raises(ValueError, match='does not fit images of 6x6 pixels'):
        AttentiveMix(saliency=Given((7, 7)))(*make_batch(6, (3, 6, 6)))
