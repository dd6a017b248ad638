"""TransformMix: its mix taken apart, its types and sizes, and one teacher forward a batch."""

import pytest
import torch
import torch.nn.functional as F

from mmtmix.functional import warp
from mmtmix.models import TransformMix, TransformMixer
from mmtmix.models.draw import REPLAY
from mmtmix.models.mixers import save_mixer

pytestmark = pytest.mark.host


def seeded(augment, batch, **kwargs):
    torch.manual_seed(5)
    return augment(*batch, **kwargs)


@pytest.mark.parametrize('num_mix', [2, 3, 4])
@pytest.mark.parametrize('shape', [(3, 16, 16), (1, 12, 20)])
def test_details_have_the_documented_keys_and_shapes(make_augment, make_batch, num_mix, shape):
    augment = make_augment(num_mix, in_channels=shape[0])
    mixed, targets, details = augment(*make_batch(6, shape), return_details=True)
    assert mixed.shape == (6, *shape)
    assert targets.shape == (6, 10)
    shapes = {name: tuple(value.shape) for name, value in details.items() if name not in REPLAY}
    assert shapes == dict(
        weights=(6, num_mix),
        index=(6, num_mix),
        saliency=(6, num_mix, 1, 18, 18),
        theta=(6, num_mix, 2, 3),
        warped=(6, num_mix, *shape),
        masks=(6, num_mix, 1, *shape[1:]),
        clean_logits=(6, 10),
    )


@pytest.mark.parametrize('num_mix', [2, 3, 4])
@pytest.mark.parametrize('shape', [(3, 16, 16), (1, 12, 20), (3, 7, 5)])
def test_a_mix_is_the_sum_of_masks_times_warped_partners(make_augment, make_batch, num_mix, shape):
    augment = make_augment(num_mix, in_channels=shape[0])
    inputs, scores = make_batch(6, shape)
    mixed, targets, details = augment(inputs, scores, return_details=True)
    masks, theta, index = details['masks'], details['theta'], details['index']
    torch.testing.assert_close(masks.sum(dim=1), torch.ones_like(masks[:, 0]))
    for n in range(6):
        image, label = torch.zeros(shape), torch.zeros(10)
        for i, partner in enumerate(index[n]):
            grid = F.affine_grid(theta[n, i][None], [1, *shape], align_corners=False)
            warped = F.grid_sample(
                inputs[partner][None], grid, padding_mode='border', align_corners=False
            )[0]
            torch.testing.assert_close(details['warped'][n, i], warped, atol=1e-5, rtol=1e-5)
            image += masks[n, i] * warped
            label += details['weights'][n, i] * scores[partner]
        torch.testing.assert_close(mixed[n], image, atol=1e-5, rtol=1e-5)
        torch.testing.assert_close(targets[n], label)


def test_saliency_is_the_teachers_cam_of_each_images_label(make_augment, make_batch):
    augment = make_augment(3)
    inputs, scores = make_batch()
    _, _, details = augment(inputs, scores, return_details=True)
    model = augment.teacher.model
    torch.testing.assert_close(details['clean_logits'], augment.teacher(inputs))
    with torch.no_grad():
        (features,) = model.backbone(inputs)
    for n in range(6):
        for i, partner in enumerate(details['index'][n]):
            row = model.head.fc.weight[scores[partner].argmax()]
            cam = sum(w * feature for w, feature in zip(row, features[partner], strict=True))
            cam = (cam - cam.min()) / (cam.max() - cam.min())
            expected = F.interpolate(cam[None, None], size=(18, 18), mode='bilinear')[0]
            torch.testing.assert_close(details['saliency'][n, i], expected, atol=1e-5, rtol=0)


def test_images_are_mixed_by_masks_and_moved_by_theta(make_augment, make_batch):
    _, _, details = make_augment()(*make_batch(), return_details=True)
    assert details['masks'].std(dim=(2, 3, 4)).gt(0).all()
    assert (details['theta'] - torch.eye(2, 3)).abs().sum(dim=(2, 3)).gt(0).all()


@pytest.mark.parametrize('return_details', [True, False])
def test_the_arguments_are_not_written_to(make_augment, make_batch, return_details):
    batch = make_batch()
    before = [tensor.clone() for tensor in batch]
    results = make_augment()(*batch, return_details=return_details)
    results[0].zero_()
    results[1].zero_()
    assert all(torch.equal(a, b) for a, b in zip(batch, before, strict=True))


def test_asking_for_details_does_not_change_the_mix(make_augment, make_batch):
    augment, batch = make_augment(), make_batch()
    plain, detailed = seeded(augment, batch), seeded(augment, batch, return_details=True)
    assert torch.equal(plain[0], detailed[0])
    assert torch.equal(plain[1], detailed[1])


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16, torch.float32])
@pytest.mark.parametrize('num_samples', [1, 6])
def test_the_inputs_keep_their_dtype(make_augment, make_batch, dtype, num_samples):
    augment, (inputs, scores) = make_augment(), make_batch(num_samples)
    expected, targets = seeded(augment, (inputs, scores))
    mixed, same_targets = seeded(augment, (inputs.to(dtype), scores))
    assert mixed.dtype == dtype
    torch.testing.assert_close(mixed.float(), expected, atol=0.1, rtol=0.02)
    assert torch.equal(targets, same_targets)


@pytest.mark.parametrize('num_samples', [2, 3, 5, 7])
def test_small_and_odd_batches_are_mixed(make_augment, make_batch, num_samples):
    inputs, scores = make_batch(num_samples)
    mixed, targets = make_augment()(inputs, scores)
    assert not torch.equal(mixed, inputs)
    assert (targets > 0).sum(dim=1).tolist() == [2] * num_samples


def test_an_unmixed_batch_has_all_details_and_stands_still(make_augment, make_batch):
    augment, (inputs, scores) = make_augment(3), make_batch(2)
    mixed, targets, details = augment(inputs, scores, return_details=True)
    assert torch.equal(mixed, inputs)
    assert torch.equal(targets, scores)
    assert {*details, *REPLAY} == augment(*make_batch(), return_details=True)[2].keys()
    assert torch.equal(details['saliency'], torch.zeros(2, 3, 1, 1, 1))
    assert torch.equal(details['theta'], torch.eye(2, 3).expand(2, 3, -1, -1))
    torch.testing.assert_close(details['clean_logits'], augment.teacher(inputs))
    assert torch.equal((details['masks'] * details['warped']).sum(dim=1), inputs)


def test_autocast_changes_the_mix_by_rounding_only(make_augment, make_batch):
    augment, batch = make_augment(), make_batch(6, (3, 64, 64))
    mixed, targets, details = seeded(augment, batch, return_details=True)
    with torch.autocast('cpu', torch.bfloat16):
        fast, same_targets, rounded = seeded(augment, batch, return_details=True)
    assert fast.dtype == torch.float32
    for name in ('theta', 'masks', 'saliency', 'warped'):
        assert rounded[name].dtype == torch.float32
    assert torch.equal(targets, same_targets)
    torch.testing.assert_close(rounded['theta'], details['theta'], atol=0.01, rtol=0)
    torch.testing.assert_close(rounded['masks'], details['masks'], atol=0.02, rtol=0)
    rebuilt = (rounded['masks'] * rounded['warped']).sum(dim=1)
    torch.testing.assert_close(fast, rebuilt, atol=1e-5, rtol=1e-5)
    grid = F.affine_grid(rounded['theta'].flatten(0, 1), [12, 3, 64, 64], align_corners=False)
    partners = batch[0][rounded['index']].flatten(0, 1)
    warped = F.grid_sample(partners, grid, padding_mode='border', align_corners=False)
    # coordinates are computed in another order, and the images are noise
    torch.testing.assert_close(rounded['warped'].flatten(0, 1), warped, atol=1e-4, rtol=0)


@pytest.mark.parametrize('saliency', ['cam', 'grad_cam', 'input_gradient'])
def test_no_graph_and_no_gradient_is_made_where_gradients_are_on(
    make_augment, make_batch, saliency, teacher_args
):
    augment = make_augment()
    if saliency != 'cam':
        augment.teacher = type(augment.teacher)(**teacher_args(), saliency=saliency)
    inputs, scores = make_batch()
    results = augment(inputs.requires_grad_(), scores, return_details=True)
    tensors = [*results[:2], *results[2].values()]
    assert not any(tensor.requires_grad for tensor in tensors)
    parameters = [*augment.mixer.parameters(), *augment.teacher.model.parameters()]
    assert all(parameter.grad is None for parameter in parameters)
    assert not any(parameter.requires_grad for parameter in parameters)


@pytest.mark.parametrize('saliency', ['cam', 'grad_cam', 'input_gradient'])
def test_each_image_goes_through_the_teacher_once(
    make_augment, make_batch, teacher_args, saliency
):
    augment = make_augment(4)
    augment.teacher = type(augment.teacher)(**teacher_args(), saliency=saliency)
    augment(*make_batch())  # Grad-CAM finds its layer by a first image
    seen = []
    augment.teacher.model.backbone.register_forward_pre_hook(
        lambda module, args: seen.append(len(args[0]))
    )
    augment(*make_batch())
    assert seen == [6]


def test_mixing_changes_neither_teacher_nor_mixer(make_augment, make_batch):
    augment = make_augment()
    modules = augment.teacher.model, augment.mixer
    before = [value.clone() for module in modules for value in module.state_dict().values()]
    augment(*make_batch())
    after = [value for module in modules for value in module.state_dict().values()]
    assert all(torch.equal(a, b) for a, b in zip(before, after, strict=True))
    assert not any(module.training for module in modules)


def test_a_seed_repeats_the_mix_and_a_rank_changes_it(make_augment, make_batch, monkeypatch):
    augment, batch = make_augment(), make_batch()
    first = seeded(augment, batch)
    assert all(torch.equal(a, b) for a, b in zip(first, seeded(augment, batch), strict=True))
    monkeypatch.setattr('mmtmix.datasets.seeding.get_rank', lambda: 1)
    other = seeded(augment, batch)
    assert not torch.equal(first[0], other[0])
    assert not torch.equal(first[1], other[1])


def test_a_teacher_of_other_classes_is_refused_with_the_cure(make_augment, make_batch):
    with pytest.raises(ValueError, match="has 7 classes and .* has 10; .*cam_class='predicted'"):
        make_augment(num_classes=7)(*make_batch())


def test_a_teacher_of_other_classes_mixes_by_what_it_predicts(make_augment, make_batch):
    augment, (inputs, scores) = make_augment(num_classes=7, cam_class='predicted'), make_batch()
    _, targets, details = augment(inputs, scores, return_details=True)
    assert targets.shape == (6, 10)
    predicted = augment.teacher(inputs).argmax(dim=1)
    _, expected = augment.teacher.saliency(inputs, predicted, 18)
    torch.testing.assert_close(details['saliency'], expected[details['index']])


def test_an_unknown_cam_class_is_refused(make_augment):
    with pytest.raises(ValueError, match="cam_class must be one of .*'truth'"):
        make_augment(cam_class='truth')


def test_visible_labels_are_the_shares_of_saliency_that_masks_leave(make_augment, make_batch):
    augment = make_augment(3, labels='visible')
    inputs, scores = make_batch(6, (3, 18, 18))
    _, targets, details = seeded(augment, (inputs, scores), return_details=True)
    seen = details['masks'] * warp(details['saliency'], details['theta'], 'border')
    shares = seen.sum(dim=(2, 3, 4)) / seen.sum(dim=(1, 2, 3, 4))[:, None]
    torch.testing.assert_close(details['weights'], shares)
    torch.testing.assert_close(targets, (shares[..., None] * scores[details['index']]).sum(dim=1))
    assert not torch.equal(targets, seeded(make_augment(3), (inputs, scores))[1])


def test_unknown_labels_are_refused(make_augment):
    with pytest.raises(ValueError, match="labels must be one of .*'gt', 'visible'.*'eggs'"):
        make_augment(labels='eggs')


def test_building_it_draws_nothing(make_augment, tmp_path):
    """First weights of a classifier are the same with it and without."""
    state = torch.get_rng_state()
    augment = make_augment(2)
    save_mixer(augment.mixer, tmp_path / 'mixer.pth')
    torch.set_rng_state(state)
    TransformMix(augment.teacher, tmp_path / 'mixer.pth')
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize(
    'settings', [{}, dict(anchored=False, random_orientation=False, saliency_noise=0.0)]
)
def test_autocast_leaves_warps_in_full_precision(make_augment, make_batch, settings):
    augment = make_augment(3)
    augment.mixer = TransformMixer(num_mix=3, cam_size=18, **settings)
    with torch.autocast('cpu', torch.bfloat16):
        mixed, _, details = augment(*make_batch(), return_details=True)
    assert details['theta'].dtype == torch.float32
    assert torch.isfinite(mixed).all()


def test_the_noise_does_not_make_the_host_wait(make_augment, make_batch, monkeypatch):
    class Watched(torch.Tensor):
        waits = []

        def to(self, *args, **kwargs):
            self.waits.append(not kwargs.get('non_blocking'))
            return self.as_subclass(torch.Tensor).to(*args, **kwargs)

    augment = make_augment()
    draw = augment.mixer.draw_noise
    watched = lambda *args: draw(*args).as_subclass(Watched)  # noqa: E731
    monkeypatch.setattr(augment.mixer, 'draw_noise', watched)
    augment(*make_batch())
    assert Watched.waits == [False]
