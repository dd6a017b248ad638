"""The layer is chosen by the logits' gradient, in stand-ins of timm's and others' layouts."""

import pytest
import torch
from torch import nn

from mmtmix.models import FrozenTeacher
from mmtmix.models.teachers.cam_layer import find_cam_layer

RGB = dict(channel_order='rgb')
AS_THEY_ARE = dict(mean=0.0, std=255.0, **RGB, input_stats=dict(mean=[0.0], std=[255.0], **RGB))


@pytest.fixture
def images():
    return torch.randn(4, 3, 32, 32, generator=torch.Generator().manual_seed(1))


class Block(nn.Module):
    """Pre-norm attention, its maps a module's output as in timm; a shared norm runs twice."""

    def __init__(self, width, shared=False):
        super().__init__()
        self.norm1 = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.attn_drop = nn.Dropout(0.1)
        self.norm2 = self.norm1 if shared else nn.LayerNorm(width)
        self.mlp = nn.Sequential(nn.Linear(width, width), nn.GELU())

    def forward(self, tokens):
        query, key, value = self.qkv(self.norm1(tokens)).chunk(3, dim=-1)
        attention = (query @ key.transpose(1, 2)).softmax(dim=-1)[:, None]
        tokens = tokens + self.attn_drop(attention)[:, 0] @ value
        return tokens + self.mlp(self.norm2(tokens))


class Tokens(nn.Module):
    """A transformer with ``extra`` tokens ahead: it classifies by the first, or by the average."""

    def __init__(self, extra=1, averages=False, shared=False, width=8):
        super().__init__()
        self.patches = nn.Conv2d(3, width, 8, stride=8)
        self.extra = nn.Parameter(torch.randn(1, extra, width))
        self.blocks = nn.ModuleList([Block(width, shared) for _ in range(2)])
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, 5)
        self.averages = averages

    def forward(self, images):
        patches = self.patches(images).flatten(2).transpose(1, 2)
        tokens = torch.cat([self.extra.expand(len(images), -1, -1), patches], dim=1)
        for block in self.blocks:
            tokens = block(tokens)
        tokens = self.norm(tokens)
        return self.head(tokens.mean(dim=1) if self.averages else tokens[:, 0])


class ChannelsLast(nn.Module):
    """Features (N, h, w, C), as timm's Swin has them, averaged for a linear layer."""

    def __init__(self):
        super().__init__()
        self.patches = nn.Conv2d(3, 6, 4, stride=4)
        self.norm = nn.LayerNorm(6)
        self.fc = nn.Linear(6, 5)

    def forward(self, images):
        return self.fc(self.norm(self.patches(images).permute(0, 2, 3, 1)).mean(dim=(1, 2)))


class PooledTokens(nn.Module):
    """Pools (N, C, tokens) to (N, C, 1), whose C a layer may take for tokens."""

    def __init__(self):
        super().__init__()
        self.patches = nn.Conv2d(3, 16, 8, stride=8)
        self.norm = nn.LayerNorm(16)
        self.pool = nn.AdaptiveAvgPool1d(1)
        self.fc = nn.Linear(16, 5)

    def forward(self, images):
        tokens = self.norm(self.patches(images).flatten(2).transpose(1, 2))
        return self.fc(self.pool(tokens.transpose(1, 2)).flatten(1))


class InPlace(nn.Module):
    """Works in place behind the layer, uses it twice, and pools by maxima."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 6, 3, stride=4, padding=1)
        self.shared = nn.Conv2d(6, 6, 3, padding=1)
        self.relu = nn.ReLU(inplace=True)
        self.fc = nn.Linear(6, 5)

    def forward(self, images):
        features = self.relu(self.shared(self.relu(self.shared(self.stem(images)))))
        return self.fc(features.amax(dim=(2, 3)) * 2)


NETWORKS = {
    'class token': (lambda: Tokens(1), 'blocks.1.norm1', 'tokens, 1 extra', 0, (4, 4)),
    'registers': (lambda: Tokens(5), 'blocks.1.norm1', 'tokens, 5 extra', 0, (4, 4)),
    # as DeiT-III of MMPretrain; the second call only acts by the class token
    'shared norm': (
        lambda: Tokens(1, shared=True),
        'blocks.1.norm1',
        'tokens, 1 extra',
        0,
        (4, 4),
    ),
    'no class token': (lambda: Tokens(0, averages=True), 'norm', 'tokens, 0 extra', 0, (4, 4)),
    'channels last': (ChannelsLast, 'norm', 'channels last', 0, (8, 8)),
    'pooled tokens': (PooledTokens, 'norm', 'tokens, 0 extra', 0, (4, 4)),
    'in place': (InPlace, 'relu', 'channels first', 1, (8, 8)),
}
EXACT = ('no class token', 'channels last', 'pooled tokens')


def make(name):
    torch.manual_seed(0)
    return NETWORKS[name][0]().eval()


@pytest.mark.parametrize('name', NETWORKS)
def test_it_is_the_last_output_whose_positions_the_logits_depend_on(name, images):
    _, layer, layout, call, size = NETWORKS[name]
    model = make(name).requires_grad_(False)
    chosen = find_cam_layer(model, model, images[:2])
    assert (chosen.name, str(chosen.layout), chosen.call) == (layer, layout, call)
    assert (chosen.classifier is not None) == (name in EXACT)
    teacher = FrozenTeacher(model=model, **AS_THEY_ARE)
    logits, saliency = teacher.saliency(images)
    torch.testing.assert_close(logits, model(images))
    assert saliency.shape == (4, 1, *size)
    assert saliency.flatten(1).amax(dim=1).gt(0).any()


def by_hand(model, module, layout, call, image, chosen):
    """Grad-CAM of one image by the book, without a layer's own code."""
    kept = []

    def keep(module, args, output):
        kept.append(output if output.requires_grad else output.requires_grad_())
        return output.clone()

    handle = module.register_forward_hook(keep)
    with torch.enable_grad():
        logits = model(image[None].clone().requires_grad_())
        gradient = torch.autograd.grad(logits[0, chosen], kept[call])[0][0]
    handle.remove()
    output = kept[call].detach()[0]
    if layout.startswith('tokens'):
        extra = int(layout.split()[1])
        output, gradient = (t[extra:].T.reshape(-1, 4, 4) for t in (output, gradient))
    return (gradient.mean(dim=(1, 2))[:, None, None] * output).sum(dim=0).relu()


@pytest.mark.parametrize('name', sorted(NETWORKS.keys() - set(EXACT)))
def test_its_map_is_grad_cam_of_that_call(name, images):
    _, layer, layout, call, _ = NETWORKS[name]
    model, classes = make(name), torch.tensor([0, 1, 2, 3])
    _, maps = FrozenTeacher(model=model, **AS_THEY_ARE).cam(images, classes)
    for image, chosen, found in zip(images, classes, maps, strict=True):
        expected = by_hand(model, model.get_submodule(layer), layout, call, image, chosen)
        torch.testing.assert_close(found[0], expected, atol=1e-6, rtol=1e-4)


@pytest.mark.parametrize('name', EXACT)
def test_exact_maps_are_seen_to_be_exact(name, images):
    model, classes = make(name), torch.tensor([0, 1, 2, 3])
    head = [layer for layer in model.modules() if isinstance(layer, nn.Linear)][-1]
    for saliency in ('auto', 'cam'):
        teacher = FrozenTeacher(model=model, **AS_THEY_ARE, saliency=saliency)
        logits, maps = teacher.cam(images, classes)
        expected = logits[range(4), classes] - head.bias[classes]
        torch.testing.assert_close(maps.mean(dim=(1, 2, 3)), expected, atol=1e-5, rtol=1e-4)
        assert not logits.requires_grad
    graded = FrozenTeacher(model=model, **AS_THEY_ARE, saliency='grad_cam').cam(images, classes)[1]
    cells = maps.size(-1) * maps.size(-2)
    torch.testing.assert_close(graded, maps.relu() / cells, atol=1e-6, rtol=1e-4)


def test_the_class_token_of_an_image_of_another_aspect_stays_aside():
    teacher = FrozenTeacher(model=make('class token'), **AS_THEY_ARE)
    for size in ((32, 32), (16, 48), (64, 64)):
        maps = teacher.saliency(torch.randn(4, 3, *size))[1]
        assert maps.shape[2:] == (
            size[0] // 8,
            size[1] // 8,
        )


@pytest.mark.parametrize(
    ('options', 'said'),
    [
        (dict(cam_layer='blocks.1.mlp'), 'do not depend on the positions of .*blocks.1.mlp'),
        (dict(cam_layer='norm'), "do not depend on the positions of cam_layer='norm'"),
        (dict(num_extra_tokens=2), r'norm1.*\(2, 17, 8\), which fills no grid.*num_extra_tokens='),
        (dict(cam_layer='blocks.0', num_extra_tokens=0), r'\(2, 17, 8\).*num_extra_tokens='),
        (dict(saliency='cam'), "saliency='cam' needs .*use 'grad_cam' or 'auto'"),
    ],
)
def test_a_layer_without_a_map_is_refused_with_a_cure_that_works(options, said, images):
    teacher = FrozenTeacher(model=make('class token'), **AS_THEY_ARE, **options)
    with pytest.raises(ValueError, match=said) as error:
        teacher.saliency(images)
    if options != dict(saliency='cam'):
        assert "saliency='input_gradient'" in str(error.value)
    cure = FrozenTeacher(model=make('class token'), **AS_THEY_ARE, saliency='input_gradient')
    maps = cure.saliency(images)[1]
    assert maps.shape == (4, 1, 32, 32) and maps.flatten(1).amax(dim=1).eq(1).all()


def test_extra_tokens_can_be_given(images):
    teacher = FrozenTeacher(model=Tokens(1), **AS_THEY_ARE, num_extra_tokens=1)
    assert teacher.saliency(images)[1].shape == (4, 1, 4, 4)
    for wrong in (-1, 1.5, True):
        with pytest.raises(
            (TypeError, ValueError), match='num_extra_tokens must be an integer >= 0'
        ):
            FrozenTeacher(model=Tokens(1), **AS_THEY_ARE, num_extra_tokens=wrong)


def test_logits_that_depend_on_nothing_are_called_untrained(images):
    model = make('class token')
    nn.init.zeros_(model.head.weight)
    teacher = FrozenTeacher(model=model, **AS_THEY_ARE)
    with pytest.raises(ValueError, match='do not depend on the images.*is it trained'):
        teacher.saliency(images)


def test_it_is_chosen_under_autocast_and_inference_mode(images):
    for name in ('class token', 'channels last'):
        teacher = FrozenTeacher(model=make(name), **AS_THEY_ARE)
        expected = FrozenTeacher(model=make(name), **AS_THEY_ARE).saliency(images)[1]
        with torch.autocast('cpu', torch.bfloat16):
            found = teacher.saliency(images, teacher(images).argmax(dim=1))[1]
        assert found.dtype == torch.float32
        torch.testing.assert_close(found, expected, atol=0.1, rtol=0)
