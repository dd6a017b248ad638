"""The search's loss and its yardsticks, against the same mixes made by hand."""

import copy

import pytest
import torch
import torch.nn.functional as F
from mmengine.optim import OptimWrapper
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample

from mmtmix.models import draw
from mmtmix.models.search import mixer_search


@pytest.fixture
def make_search(teacher_args, published):
    """Make a search with a random mixing module: ``make_search(num_mix=2)``."""

    def make(num_mix=2, **settings):
        mixer = dict(type='TransformMixer', num_mix=num_mix, cam_size=18, **published)
        teacher = dict(teacher_args(), channel_order='rgb')
        config = dict(type='MixerSearch', teacher=teacher, mixer=mixer, **settings)
        torch.manual_seed(0)
        return MODELS.build(dict(config, _scope_='mmpretrain'))

    return make


@pytest.fixture
def batch():
    """Six normalised images of two of five classes each, and their samples."""
    generator = torch.Generator().manual_seed(2)
    samples = [DataSample().set_gt_label(label) for label in (3, 1, 4, 1, 3, 0)]
    return torch.randn(6, 3, 16, 16, generator=generator), samples


@pytest.fixture
def drawn(monkeypatch):
    """Keep all that a search draws, by name."""
    kept = {}
    for module, name in (
        (draw, 'draw_weights'),
        (draw, 'draw_index'),
        (mixer_search, 'box_masks'),
    ):
        original = getattr(module, name)

        def keep(*args, name=name, original=original):
            kept[name] = original(*args)
            return kept[name]

        monkeypatch.setattr(module, name, keep)
    return kept


def labels_of(samples):
    return [sample.gt_label.item() for sample in samples]


def mix_by_hand(search, inputs, labels, weights, index):
    """What the mixing module makes of each sample while its transformer is the identity."""
    model, mixes = search.teacher.model, []
    (features,) = model.backbone(inputs)
    cams = torch.einsum('nd,ndhw->nhw', model.head.fc.weight[labels], features)
    for n in range(len(inputs)):
        maps = []
        for partner in index[n]:
            cam = (cams[partner] - cams[partner].min()) / (
                cams[partner].max() - cams[partner].min()
            )
            maps.append(F.interpolate(cam[None, None], size=(18, 18), mode='bilinear')[0, 0])
        planes = [torch.full((18, 18), share.item()) for share in weights[n, :-1]]
        logits = search.mixer.mask_network.layers(torch.stack(maps + planes)[None])
        masks = F.interpolate(logits.softmax(dim=1), size=(16, 16), mode='bilinear')[0]
        mixes.append(sum(mask * inputs[i] for mask, i in zip(masks, index[n], strict=True)))
    return torch.stack(mixes)


def cross_entropies(search, mixed, labels, weights, index):
    """The teacher's cross entropy of each mix with its mixed label."""
    log_probs = search.teacher.model(mixed, mode='tensor').log_softmax(dim=1)
    return [
        -sum(w.item() * log_probs[n, labels[i]].item() for w, i in zip(*pair, strict=True))
        for n, pair in enumerate(zip(weights, index, strict=True))
    ]


@pytest.mark.parametrize('num_mix', [2, 3])
def test_the_loss_is_the_teachers_cross_entropy_of_the_mixes(make_search, batch, drawn, num_mix):
    search, (inputs, samples) = make_search(num_mix), batch
    loss = search(inputs, samples, mode='loss')['loss']
    labels, weights, index = labels_of(samples), drawn['draw_weights'], drawn['draw_index']
    mixed = mix_by_hand(search, inputs, labels, weights, index)
    expected = sum(cross_entropies(search, mixed, labels, weights, index)) / 6
    assert loss.item() == pytest.approx(expected, rel=1e-4)


def test_tensor_mode_gives_the_mixes(make_search, batch, drawn):
    search, (inputs, samples) = make_search(), batch
    mixed = search(inputs, samples)
    pairs = drawn['draw_weights'], drawn['draw_index']
    expected = mix_by_hand(search, inputs, labels_of(samples), *pairs)
    torch.testing.assert_close(mixed, expected, atol=1e-4, rtol=1e-4)


def test_quality_is_measured_on_the_same_pairs_for_all_three(make_search, batch, drawn):
    search, (inputs, samples) = make_search(), batch
    search(inputs, samples, mode='predict')
    weights, index, boxes = (drawn[n] for n in ('draw_weights', 'draw_index', 'box_masks'))
    labels, pairs = labels_of(samples), inputs[index]
    lam = weights[:, 0, None, None, None]
    inside = boxes[:, 1].bool()
    mixes = dict(
        transformmix=mix_by_hand(search, inputs, labels, weights, index),
        mixup=lam * pairs[:, 0] + (1 - lam) * pairs[:, 1],
        cutmix=torch.where(inside, pairs[:, 1], pairs[:, 0]),
    )
    for method, mixed in mixes.items():
        found = [sample.mix_quality for sample in samples]
        expected = cross_entropies(search, mixed, labels, weights, index)
        assert [q[f'{method}/ce'] for q in found] == pytest.approx(expected, rel=1e-3)
        logits = search.teacher.model(mixed, mode='tensor')
        for n, row in enumerate(logits):
            wanted = {labels[i] for i in index[n]}
            matches = set(row.topk(len(wanted)).indices.tolist()) == wanted
            assert found[n][f'{method}/top_k'] == matches


def test_quality_is_the_same_at_every_call(make_search, batch):
    search, (inputs, samples) = make_search(), batch
    torch.manual_seed(1)
    first = [sample.mix_quality for sample in search(inputs, samples, mode='predict')]
    torch.manual_seed(2)
    again = search(inputs, copy.deepcopy(samples), mode='predict')
    assert [sample.mix_quality for sample in again] == first
    assert torch.initial_seed() == 2


def test_training_draws_anew_at_every_step(make_search, batch, drawn):
    search, (inputs, samples) = make_search(), batch
    search(inputs, samples, mode='loss')
    first = drawn['draw_weights']
    search(inputs, samples, mode='loss')
    assert not torch.equal(drawn['draw_weights'], first)


def test_only_the_mixing_module_is_a_part_of_it(make_search):
    search = make_search()
    assert all(name.startswith('mixer.') for name in search.state_dict())
    own = {id(parameter) for parameter in search.mixer.parameters()}
    assert {id(parameter) for parameter in search.parameters()} == own


def test_a_copy_has_a_mixing_module_of_its_own_and_shares_the_teacher(make_search):
    search = make_search()
    averaged = copy.deepcopy(search)
    assert averaged.teacher is search.teacher
    assert averaged.mixer is not search.mixer


def test_optimizer_steps_change_the_mixing_module_and_not_a_bit_of_the_teacher(
    make_search, batch, start_run
):
    preprocessor = dict(mean=[120.0] * 3, std=[60.0] * 3)
    search = make_search(data_preprocessor=preprocessor).train()
    # the order of the channels is the running task's
    loader = dict(dataset=dict(type='CIFAR10'))
    start_run(dict(data_preprocessor=preprocessor, train_dataloader=loader))
    model = search.teacher.model
    before = {name: value.clone() for name, value in model.state_dict().items()}
    start = {name: value.clone() for name, value in search.state_dict().items()}
    optimizer = OptimWrapper(torch.optim.SGD(search.parameters(), lr=0.1, weight_decay=0.01))
    raw = torch.randint(256, (6, 3, 16, 16), dtype=torch.uint8)
    for _ in range(3):
        log = search.train_step(dict(inputs=raw, data_samples=batch[1]), optimizer)
        assert log['loss'].isfinite()
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert all(parameter.grad is None for parameter in model.parameters())
    assert not any(module.training for module in model.modules())
    assert not any(torch.equal(value, start[name]) for name, value in search.state_dict().items())


def test_under_autocast_the_loss_stays_float32(make_search, batch):
    search = make_search()
    torch.manual_seed(0)
    expected = search(*batch, mode='loss')['loss']
    torch.manual_seed(0)
    with torch.autocast('cpu', torch.bfloat16):
        loss = search(*batch, mode='loss')['loss']
    assert loss.dtype == torch.float32
    assert loss.item() == pytest.approx(expected.item(), rel=0.02)


def test_a_batch_too_small_to_mix_has_no_quality(make_search, batch):
    search, (inputs, samples) = make_search(), batch
    (sample,) = search(inputs[:1], samples[:1], mode='predict')
    assert sample.mix_quality is None


def test_a_batch_too_small_to_mix_has_no_loss(make_search, batch):
    search, (inputs, samples) = make_search(), batch
    with pytest.raises(
        ValueError, match='batch of 1 cannot be mixed with num_mix=2; set drop_last=True'
    ):
        search(inputs[:1], samples[:1], mode='loss')


def test_an_alpha_that_is_not_positive_is_refused(make_search):
    with pytest.raises(ValueError, match='alpha must be a finite number > 0'):
        make_search(alpha=0)


def test_an_unknown_mode_and_missing_labels_are_refused(make_search, batch):
    search, (inputs, samples) = make_search(), batch
    with pytest.raises(ValueError, match="mode must be .*'train'"):
        search(inputs, samples, mode='train')
    with pytest.raises(ValueError, match='the images have no labels'):
        search(inputs, mode='loss')


def scored(*rows):
    return [DataSample().set_gt_score(torch.tensor(row)) for row in rows]


def test_soft_labels_are_mixed_as_they_are(make_search, batch, drawn):
    search, (inputs, samples) = make_search(), batch
    hard = torch.nn.functional.one_hot(torch.tensor(labels_of(samples)), 10)
    losses = {}
    for name, share in (('hard', 1.0), ('soft', 0.7)):
        scores = share * hard + (1 - share) / 10
        torch.manual_seed(0)
        losses[name] = search(inputs, scored(*scores.tolist()), mode='loss')['loss']
    torch.manual_seed(0)
    mixed = search(inputs, samples)
    log_probs = search.teacher.model(mixed, mode='tensor').log_softmax(dim=1)
    uniform = -log_probs.mean(dim=1).mean()  # the maps are those of the same classes
    torch.testing.assert_close(losses['soft'], 0.7 * losses['hard'] + 0.3 * uniform)
    torch.manual_seed(0)
    assert torch.equal(losses['hard'], search(inputs, samples, mode='loss')['loss'])
    again = search(inputs, scored(*hard.tolist()), mode='predict')
    assert again[0].mix_quality == search(inputs, samples, mode='predict')[0].mix_quality


@pytest.mark.parametrize(
    ('samples', 'said'),
    [
        ([DataSample().set_gt_label([1, 2]) for _ in range(6)], '6 images have 12 labels'),
        (scored(*[[0.5, 0.5]] * 6), 'has 10 classes and gt_score has 2'),
        (scored(*[[1.0] * 2 + [0.0] * 8] * 6), 'takes one class per image'),
    ],
)
@pytest.mark.parametrize('mode', ['loss', 'predict'])
def test_labels_that_are_no_single_class_are_refused(make_search, batch, samples, said, mode):
    with pytest.raises(ValueError, match=said):
        make_search()(batch[0], samples, mode=mode)


def test_predict_tells_how_far_images_move(make_search, batch):
    search, (inputs, samples) = make_search(), batch
    quality = [sample.mix_quality for sample in search(inputs, samples, mode='predict')]
    assert all(row['transformmix/shift'] == 0 for row in quality)
    with torch.no_grad():  # both images a tenth of their side to the left
        search.mixer.stn.fc.bias.view(2, 2, 3)[:, 0, 2] = 0.2
    quality = [sample.mix_quality for sample in search(inputs, samples, mode='predict')]
    assert all(abs(row['transformmix/shift'] - 0.1) < 1e-6 for row in quality)


class Watched(torch.Tensor):
    """Drawn on the host; notes whether it is copied to the images without waiting."""

    waits: list[bool] = []

    def to(self, *args, **kwargs):
        Watched.waits.append(not kwargs.get('non_blocking'))
        return self.as_subclass(torch.Tensor).to(*args, **kwargs)


@pytest.mark.parametrize('mode', ['loss', 'predict'])
def test_nothing_that_is_drawn_makes_the_host_wait(make_search, batch, monkeypatch, mode):
    search = make_search()
    monkeypatch.setattr(Watched, 'waits', [])
    for owner, name in (
        (draw, 'draw_weights'),
        (draw, 'draw_index'),
        (search.mixer, 'draw_noise'),
    ):
        drawn = getattr(owner, name)
        watched = lambda *args, drawn=drawn: drawn(*args).as_subclass(Watched)  # noqa: E731
        monkeypatch.setattr(owner, name, watched)
    search(*batch, mode=mode)
    assert Watched.waits == [False] * 3


@pytest.mark.parametrize('transform', ['stn', 'none'])
@pytest.mark.parametrize('mask', ['network', 'softmax_cam'])
@pytest.mark.parametrize('anchored', [False, True])
def test_each_part_of_a_module_gets_a_gradient_so_ddp_needs_no_search_for_unused_ones(
    teacher_args, batch, transform, mask, anchored
):
    mixer = dict(type='TransformMixer', cam_size=18, mask=mask, transform=transform)
    teacher = dict(teacher_args(), channel_order='rgb')
    config = dict(type='MixerSearch', teacher=teacher, mixer=dict(mixer, anchored=anchored))
    search = MODELS.build(dict(config, _scope_='mmpretrain'))
    for _ in range(2):  # the draws differ
        search.zero_grad(set_to_none=True)
        search(*batch, mode='loss')['loss'].backward()
        missing = [name for name, weight in search.named_parameters() if weight.grad is None]
        assert not missing
