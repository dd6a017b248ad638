"""CAMMix: its masks by a loop, its anchors, its noise, and the first round's masks."""

import math

import pytest
import torch
import torch.nn.functional as F

from mmtmix.models import CAMMix, InputGradient, SaliencySource, TeacherCAM, TransformMix
from mmtmix.models.saliency import LiveModel, set_live_model

pytestmark = pytest.mark.host


class Given(SaliencySource):
    """Saliency that is drawn once, in any scale."""

    def __init__(self, size, scale=1.0):
        self.maps = scale * torch.rand(6, 1, *size, generator=torch.Generator().manual_seed(1))

    def __call__(self, batch_inputs, batch_scores):
        return self.maps


def mix(augment, batch):
    torch.manual_seed(0)
    return augment(*batch, return_details=True)


def unit(saliency):
    low, high = saliency.min(), saliency.max()
    return (saliency - low) / (high - low)


@pytest.mark.parametrize(('anchor', 'num_mix'), [('weights', 3), ('none', 2)])
@pytest.mark.parametrize('noise', [0.0, 0.7])
def test_masks_are_the_softmax_of_noisy_saliency(make_batch, anchor, num_mix, noise):
    source = Given((5, 5), scale=30.0)
    augment = CAMMix(
        saliency=source, num_mix=num_mix, anchor=anchor, temperature=0.3, noise=noise, mask_size=5
    )
    drawn = []
    augment.draw_noise = lambda *args: drawn.append(CAMMix.draw_noise(augment, *args)) or drawn[0]
    batch = make_batch(6, (3, 10, 15))
    mixed, targets, details = mix(augment, batch)
    assert len(drawn) == (noise > 0)
    for n in range(6):
        exponentials = []
        for i in range(num_mix):
            image = details['index'][n, i]
            logits = unit(source.maps[image, 0]).double()
            if noise > 0:
                added = F.interpolate(drawn[0][n, i][None, None], size=(5, 5), mode='bilinear')
                logits = logits + noise * added[0, 0].double()
            weight = details['drawn_weights'][n, i].double() if anchor == 'weights' else 1.0
            exponentials.append(weight * (logits / 0.3).exp())
        total = sum(exponentials)
        image, label = torch.zeros(3, 10, 15), torch.zeros(10)
        for i in range(num_mix):
            cells = (exponentials[i] / total).float()[None, None]
            mask = F.interpolate(cells, size=(10, 15), mode='bilinear')[0]
            torch.testing.assert_close(details['masks'][n, i], mask, atol=1e-5, rtol=1e-4)
            image += mask * batch[0][details['index'][n, i]]
            label += mask.mean() * batch[1][details['index'][n, i]]
        torch.testing.assert_close(mixed[n], image, atol=1e-4, rtol=1e-4)
        torch.testing.assert_close(targets[n], label, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize('num_mix', [2, 3])
@pytest.mark.parametrize('temperature', [0.05, 0.5])
@pytest.mark.parametrize(('shape', 'size'), [((3, 28, 28), 16), ((1, 13, 22), None)])
def test_anchored_masks_have_the_areas_of_their_weights(
    make_batch, num_mix, temperature, shape, size
):
    augment = CAMMix(
        saliency=Given((7, 9)), num_mix=num_mix, temperature=temperature, mask_size=size
    )
    _, _, details = mix(augment, make_batch(6, shape))
    areas = details['masks'].double().mean(dim=(2, 3, 4))
    torch.testing.assert_close(areas.float(), details['drawn_weights'], atol=1e-4, rtol=0)


def test_the_anchor_moves_each_map_by_one_number(make_batch):
    logits = []
    for anchor in ('area', 'none'):
        augment = CAMMix(saliency=Given((7, 9)), num_mix=3, anchor=anchor)
        masks = mix(augment, make_batch(6, (3, 16, 16)))[2]['masks']
        logits.append((masks / masks[:, :1]).log())
    moved = logits[0] - logits[1]
    torch.testing.assert_close(moved, moved[..., :1, :1].expand_as(moved), atol=1e-3, rtol=1e-4)
    assert moved.std() > 0.5


def test_equal_saliency_without_noise_is_mixup(make_batch):
    class Flat(SaliencySource):
        def __call__(self, batch_inputs, batch_scores):
            return torch.full((6, 1, 4, 4), 3.0)

    for anchor in ('area', 'weights'):
        _, _, details = mix(CAMMix(saliency=Flat(), noise=0.0, anchor=anchor), make_batch())
        expected = details['drawn_weights'][..., None, None, None].expand_as(details['masks'])
        torch.testing.assert_close(details['masks'], expected, atol=2e-6, rtol=1e-4)


def test_the_temperature_makes_masks_soft_or_hard(make_batch):
    batch, source = make_batch(6, (3, 16, 16)), Given((16, 16))

    def entropy(temperature):
        masks = mix(CAMMix(saliency=source, temperature=temperature), batch)[2]['masks']
        return -(masks * masks.clamp_min(1e-12).log()).sum(dim=1).mean()

    hard, middle, soft = (entropy(temperature) for temperature in (0.005, 0.5, 50.0))
    # the mean entropy of two weights that are uniform is 1/2
    assert hard < 0.05 < middle < soft


def test_with_the_same_settings_they_are_those_of_the_first_round(make_batch, make_teacher):
    """The module ``noisy_softmax_cam`` of the searches for docs/evidence.md."""
    teacher, batch = make_teacher(), make_batch(8, (3, 28, 28))
    module = dict(
        type='TransformMixer',
        cam_size=28,
        transform='none',
        mask='softmax_cam',
        padding_mode='border',
        noise_size=4,
        saliency_noise=0.5,
        random_orientation=True,
        anchored=True,
        mask_size=None,
        temperature=0.4,
    )
    searched = TransformMix(teacher, module)

    class Same(CAMMix):
        """Draws the planes of the transformer and of the orientation as well."""

        def draw_noise(self, num_mixes, generator):
            return searched.mixer.draw_noise(num_mixes, generator)[:, -self.num_mix :]

    # the module holds the logarithm of its temperature
    temperature = math.exp(float(searched.mixer.log_temperature))
    settings = dict(temperature=temperature, noise=0.5, noise_size=4, mask_size=28)
    expected, _, there = mix(searched, batch)
    mixed, _, details = mix(Same(teacher, anchor='weights', **settings), batch)
    torch.testing.assert_close(details['masks'], there['masks'], atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(mixed, expected, atol=1e-5, rtol=1e-5)
    assert details['masks'].std() > 0.1
    assert torch.equal(details['drawn_weights'], there['drawn_weights'])


def test_a_teacher_or_any_source_is_the_saliency(make_batch, make_teacher):
    batch, teacher = make_batch(), make_teacher()
    augment = CAMMix(teacher)
    assert isinstance(augment.saliency, TeacherCAM) and augment.needs_network
    _, _, details = mix(augment, batch)
    expected = teacher.saliency(batch[0], batch[1].argmax(dim=1))[1]
    torch.testing.assert_close(details['saliency'], expected[details['index']])
    live = CAMMix(saliency='InputGradient')
    assert isinstance(live.saliency, InputGradient)
    set_live_model(LiveModel(_Live()))
    try:
        _, _, details = mix(live, batch)
    finally:
        set_live_model(None)
    assert details['masks'].std() > 0.05
    areas = details['masks'].mean(dim=(2, 3, 4))
    torch.testing.assert_close(areas, details['drawn_weights'], atol=1e-4, rtol=0)


class _Live(torch.nn.Module):
    """A classifier that is being trained."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.fc = torch.nn.Linear(3, 10)

    def forward(self, images, mode):
        return self.fc(images.square().mean(dim=(2, 3)))


def test_the_scale_of_the_saliency_does_not_matter(make_batch):
    batch = make_batch()
    one, other = (mix(CAMMix(saliency=Given((9, 9), scale)), batch)[0] for scale in (1.0, 1e-3))
    torch.testing.assert_close(one, other)


@pytest.mark.parametrize(
    ('settings', 'message'),
    [
        (dict(temperature=0), 'temperature must be a finite number > 0'),
        (dict(noise=-0.1), 'noise must be a finite number >= 0'),
        (dict(noise_size=0), 'noise_size must be an integer >= 1'),
        (dict(anchor='areas'), "anchor must be one of .*did you mean 'area'"),
        (dict(mask_size=0), 'mask_size must be an integer >= 1'),
        (dict(saliency=None), 'give either a teacher'),
        (dict(teacher=dict()), 'give either a teacher'),
    ],
)
def test_bad_settings_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        CAMMix(**{'saliency': Given((7, 7)), **settings})


def test_labels_may_follow_the_visible_saliency(make_batch):
    batch, source = make_batch(6, (3, 12, 12)), Given((6, 6))
    plain = mix(CAMMix(saliency=source), batch)
    mixed, targets, details = mix(CAMMix(saliency=source, labels='visible'), batch)
    assert torch.equal(mixed, plain[0]) and not torch.allclose(targets, plain[1])
    for n in range(6):
        seen = []
        for i, image in enumerate(details['index'][n]):
            share = F.interpolate(source.maps[image][None], size=(12, 12), mode='bilinear')[0, 0]
            seen.append(float((share / share.sum() * details['masks'][n, i, 0]).sum()))
        expected = torch.tensor(seen) / sum(seen)
        torch.testing.assert_close(details['weights'][n], expected, atol=2e-3, rtol=1e-2)
