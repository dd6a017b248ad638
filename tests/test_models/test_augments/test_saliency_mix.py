"""SaliencyMix: where its boxes lie."""

import pytest
import torch

from mmtmix.models import FineGrainedSaliency, SaliencyMix, SaliencySource
from mmtmix.models.augments import batch_augment

pytestmark = pytest.mark.host


class Peaks(SaliencySource):
    """One peak an image, of maps of any size."""

    def __init__(self, places, size):
        self.maps = torch.zeros(len(places), 1, *size)
        for n, (row, column) in enumerate(places):
            self.maps[n, 0, row, column] = 1

    def __call__(self, batch_inputs, batch_scores):
        return self.maps


PLACES = [(0, 0), (11, 19), (3, 7), (6, 6), (0, 19), (8, 1)]


@pytest.mark.parametrize('alpha', [1.0, 0.2])
def test_the_box_surrounds_the_partners_peak_and_is_clipped(make_batch, monkeypatch, alpha):
    weights = []
    draw = batch_augment.draw_weights
    monkeypatch.setattr(
        batch_augment, 'draw_weights', lambda *args: weights.append(draw(*args)) or weights[-1]
    )
    inputs, scores = make_batch(6, (3, 12, 20))
    torch.manual_seed(0)
    mixer = SaliencyMix(Peaks(PLACES, (12, 20)), alpha=alpha)
    mixed, targets, details = mixer(inputs, scores, return_details=True)
    for n in range(6):
        partner = int(details['index'][n, 1])
        row, column = PLACES[partner]
        ratio = torch.sqrt(weights[0][n, 1]).item()
        half_height, half_width = int(12 * ratio) // 2, int(20 * ratio) // 2
        rows = slice(max(row - half_height, 0), min(row + half_height, 12))
        columns = slice(max(column - half_width, 0), min(column + half_width, 20))
        expected = inputs[n].clone()
        expected[:, rows, columns] = inputs[partner, :, rows, columns]
        assert torch.equal(mixed[n], expected)
        area = (rows.stop - rows.start) * (columns.stop - columns.start)
        lam = 1 - area / (12 * 20)
        torch.testing.assert_close(targets[n], lam * scores[n] + (1 - lam) * scores[partner])


def test_small_maps_are_resized_to_the_image(make_batch):
    source = Peaks([(0, 0), (3, 3), (1, 2), (2, 0), (0, 3), (3, 1)], (4, 4))
    _, _, details = SaliencyMix(source)(*make_batch(), return_details=True)
    assert details['saliency'].shape == (6, 2, 1, 4, 4)
    for n, box in enumerate(details['masks'][:, 1, 0]):
        peak = details['saliency'][n, 1, 0].flatten().argmax().item()
        if 0 < box.sum() < 60:
            rows, columns = box.nonzero(as_tuple=True)
            assert rows.min() <= 4 * (peak // 4) + 3 and rows.max() >= 4 * (peak // 4)
            assert columns.min() <= 4 * (peak % 4) + 3 and columns.max() >= 4 * (peak % 4)


def test_it_sees_by_opencvs_saliency_by_default(make_batch):
    inputs, scores = make_batch()
    mixer = SaliencyMix()
    assert isinstance(mixer.saliency, FineGrainedSaliency)
    _, _, details = mixer(inputs, scores, return_details=True)
    expected = FineGrainedSaliency()(inputs, scores)
    assert torch.equal(details['saliency'], expected[details['index']])


def test_an_unknown_source_is_refused():
    with pytest.raises(
        ValueError, match="saliency must be one of .*FineGrainedSaliency.*, got 'Spectral'"
    ):
        SaliencyMix('Spectral')
    with pytest.raises(TypeError, match='saliency must be a name'):
        SaliencyMix(3)
