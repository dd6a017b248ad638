"""Teachers that would say nothing, or NaN, stop at the first batch."""

import pytest
import torch
from torch import nn

from mmtmix.models import FrozenTeacher, SuperMix, TransformMix
from mmtmix.models.teachers.checks import check_maps

STATS = dict(mean=[120.0] * 3, std=[60.0] * 3)


class Net(nn.Module):
    """Its logits, or its features, can be spoilt."""

    def __init__(self, factor=1.0, constant=False):
        super().__init__()
        self.conv = nn.Conv2d(3, 6, 3, 2, 1)
        self.fc = nn.Linear(6, 5)
        self.factor, self.constant = factor, constant

    def forward(self, images):
        features = self.conv(images)
        return self.fc(features.mean(dim=(2, 3))) * self.factor


@pytest.fixture
def images():
    return torch.randn(16, 3, 16, 16, generator=torch.Generator().manual_seed(0))


def scores(images):
    return nn.functional.one_hot(torch.arange(len(images)) % 5, 5).float()


def spoilt(factor):
    teacher = FrozenTeacher(model=Net(), **STATS)
    teacher.model.factor = factor
    return teacher


@pytest.mark.parametrize('factor', [float('nan'), float('inf')])
def test_logits_that_are_not_finite_stop_the_first_batch(factor, images):
    uses = [
        lambda teacher: teacher(images),
        lambda teacher: teacher.saliency(images),
        lambda teacher: teacher.features(images),
        lambda teacher: TransformMix(teacher, dict(type='TransformMixer'))(images, scores(images)),
        lambda teacher: SuperMix(teacher, max_iters=1)(images, scores(images)),
    ]
    for use in uses:
        with pytest.raises(ValueError, match='logits hold NaN or infinity; its training has div'):
            use(spoilt(factor))
    with pytest.raises(ValueError, match='images for the teacher'):
        spoilt(1.0)(images * factor)


@pytest.mark.parametrize('key', ['fc.bias', 'conv.weight'])
def test_weights_that_are_not_finite_are_refused_by_name(key, tmp_path):
    net = Net()
    net.state_dict()[key].flatten()[0] = float('nan')
    with pytest.raises(ValueError, match=f'the model Net holds NaN or infinity in {key};'):
        FrozenTeacher(model=net, **STATS)
    torch.save(net.state_dict(), tmp_path / 'nan.pth')
    with pytest.raises(ValueError, match=rf'nan.pth.* holds NaN or infinity in {key};'):
        FrozenTeacher(model=Net(), checkpoint=tmp_path / 'nan.pth', **STATS)


def test_a_buffer_that_the_network_itself_makes_infinite_may_be_so(tmp_path):
    def make():
        net = Net()
        net.register_buffer('mask', torch.tensor([0.0, -float('inf')]))
        return net

    torch.save(make().state_dict(), tmp_path / 'masked.pth')
    FrozenTeacher(model=make(), checkpoint=tmp_path / 'masked.pth', **STATS)
    FrozenTeacher(model=make(), **STATS)


def rows(num, value=0.0, size=(4, 4)):
    return torch.full((num, 1, *size), value)


@pytest.mark.parametrize(
    ('maps', 'said'),
    [
        (torch.rand(2, 1, 4, 5), r'Grad-CAM of x, are of \(4, 5\) cells.*aspect.*the cure'),
        (torch.rand(2, 1, 4, 4) / 0, "hold NaN or infinity; set dtype='float32'.*the cure"),
        (torch.rand(16, 1, 1, 1), 'single cell .*use larger images, or the cure'),
        (rows(16), 'constant for each of the first 16 images.*the cure'),
        (rows(16, 3.0), r'values 3 to 3\).*the cure'),
    ],
)
def test_maps_that_say_nothing_are_refused(maps, said):
    with pytest.raises(ValueError, match=said):
        check_maps(maps, torch.zeros(len(maps), 3, 32, 32), 'Grad-CAM of x', 'the cure')


def test_maps_are_settled_by_contrast_or_by_many_images():
    images = torch.zeros(16, 3, 32, 32)
    assert not check_maps(rows(3), images[:3], 'x', 'y')  # may be chance
    with pytest.raises(ValueError, match='constant for each of the first 16 images'):
        check_maps(rows(3), images[:3], 'x', 'y', before=13)
    some = rows(16)
    some[5, 0, 1, 2] = 1e-12  # however small
    assert check_maps(some, images, 'x', 'y')


def test_a_teacher_checks_its_first_maps_alone(images):
    teacher = FrozenTeacher(model=Net(), **STATS)
    teacher.saliency(images)
    with torch.no_grad():
        teacher.model.conv.weight.zero_()
    assert not teacher.saliency(images)[1].any()  # later batches wait for nothing
    blind = FrozenTeacher(model=Net(), **STATS)
    with torch.no_grad():
        blind.model.conv.weight.zero_()
    with pytest.raises(ValueError, match='logits do not depend on the images|are constant'):
        blind.saliency(images)


def test_a_map_of_a_single_cell_is_refused():
    teacher = FrozenTeacher(model=nn.Sequential(nn.Conv2d(3, 5, 16), nn.Flatten()), **STATS)
    with pytest.raises(ValueError, match='larger than 1x1.*or use larger images'):
        teacher.saliency(torch.randn(2, 3, 16, 16))
