"""Draw the figures of the papers on colour photos with an ImageNet network, for the documentation.

Each picture is what the library makes, by this one command: no mix is chosen or retouched by hand.
Needs pip install 'mmtmix[figures]'. TransformMix's module reads activation maps alone, so a
shipped one that was searched on Fashion-MNIST serves here as it is.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from glyph_figures import draw_glyphs
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from mmengine.registry import DefaultScope
from mmpretrain.registry import BATCH_AUGMENTS
from photos import STATS, Photos, load_photos, load_teacher
from torch import Tensor

from mmtmix.cli.parser import CommandParser
from mmtmix.models import BatchAugment, Draw, FrozenTeacher, SuperMix, TransformMix
from mmtmix.models.augments import AUGMENTS, BLIND, WITH_TEACHER
from mmtmix.models.saliency import LiveModel, set_live_model
from mmtmix.utils import atomic_path, check_output_folder, run_command
from mmtmix.visualization import draw_comparison, draw_gallery, draw_panel
from mmtmix.visualization.hero import HeroMix, draw_hero
from mmtmix.visualization.images import scale_saliency

ROOT = Path(__file__).resolve().parents[1]
SUPERMIX = dict(mask_size=16, sigma=2.0, max_iters=50)  # the paper's, for ImageNet
MOST_BYTES = 400_000
PAIRS = (('cat', 'coffee'), ('rocket', 'flower'), ('palace', 'cat'))


def mix(
    augment: BatchAugment, photos: Photos, index: Tensor, weights: Tensor, seed: int = 0
) -> tuple[Tensor, dict[str, Tensor]]:
    """Mix photos with given shares.

    Args:
        augment: Augment.
        photos: Photos to mix.
        index: Photos of each mix, (M, k).
        weights: Their shares, (M, k).
        seed: Seed of boxes, noise and the like.
    """
    generator = torch.Generator().manual_seed(seed)
    torch.manual_seed(seed)
    return augment.mix_with_details(photos.inputs, photos.scores, Draw(weights, index, generator))


def build(name: str, teacher: FrozenTeacher, mixer: str) -> BatchAugment:
    """Build an augment by its name in ``AUGMENTS``, for photos and their network."""
    options: dict[str, Any] = dict(AUGMENTS[name])
    if name in WITH_TEACHER:
        options['teacher'] = teacher
    if name == 'TransformMix':
        options['mixer'] = mixer
    if name == 'SuperMix':
        options.update(SUPERMIX)
    if name == 'SaliencyMix':
        options['saliency'] = dict(type='FineGrainedSaliency', input_stats=STATS)
    if name == 'Co-Mixup':  # a picture learns nothing from clean images
        options['saliency'] = dict(type='InputGradient')
    return BATCH_AUGMENTS.build(options)


def draw_mixers(teacher: FrozenTeacher, mixer: str) -> list[Figure]:
    """Draw the same pairs by every augment, in equal shares: blind ones, and then others."""
    photos = load_photos(*dict.fromkeys(name for pair in PAIRS for name in pair))
    index = torch.tensor([[photos.names.index(name) for name in pair] for pair in PAIRS])
    weights = torch.full(index.shape, 0.5)
    mixes = {}
    for name in AUGMENTS:
        augment = build(name, teacher, mixer)
        if augment.follows_index:
            mixes[name] = mix(augment, photos, index, weights)[0]
        else:  # it mixes all images that it gets
            pairs = [load_photos(*pair) for pair in PAIRS]
            own = torch.arange(2)[:, None]
            parts = [mix(augment, pair, own, torch.ones(2, 1))[0][:1] for pair in pairs]
            mixes[name] = torch.cat(parts)
    halves = [dict(list(mixes.items())[: len(BLIND)]), dict(list(mixes.items())[len(BLIND) :])]
    return [
        draw_gallery(photos.inputs, weights, index, half, STATS, photos.names) for half in halves
    ]


def draw_supermix(teacher: FrozenTeacher, mixer: str) -> list[Figure]:
    """Draw SuperMix of two and of three photos (SuperMix, Figure 4)."""
    photos = load_photos('cat', 'coffee', 'flower', 'palace')
    groups = {2: [[0, 1], [3, 1]], 3: [[1, 3, 0], [0, 1, 2]]}
    shares = {2: [[0.5, 0.5], [0.6, 0.4]], 3: [[0.4, 0.3, 0.3], [0.4, 0.3, 0.3]]}
    mixes = [
        mix(SuperMix(teacher, k, **SUPERMIX), photos, torch.tensor(index), torch.tensor(shares[k]))
        for k, index in groups.items()
    ]
    return [draw_comparison(photos.inputs, mixes, STATS, photos.names)]


def draw_transformmix(teacher: FrozenTeacher, mixer: str) -> list[Figure]:
    """Draw the steps of TransformMix (TransformMix, Figures 3 and 6)."""
    photos = load_photos('cat', 'coffee', 'rocket', 'flower')
    index = torch.tensor([[0, 1], [2, 3], [1, 0], [3, 2]])
    weights = torch.tensor([[0.5, 0.5], [0.6, 0.4], [0.7, 0.3], [0.4, 0.6]])
    augment = TransformMix(teacher, mixer)
    mixed, details = mix(augment, photos, index, weights)
    options = dict(names=photos.names, saliency_title=augment.saliency_title)
    return [draw_panel(photos.inputs, mixed, details, STATS, **options)]


def draw_readme(teacher: FrozenTeacher, mixer: str) -> list[Figure]:
    """Draw the picture of the README: two photos, their saliency, masks and mixes."""
    photos = load_photos('cat', 'coffee')
    index, weights = torch.tensor([[0, 1]]), torch.tensor([[0.5, 0.5]])
    mixes = []
    for name in ('CutMix', 'TransformMix', 'SuperMix'):
        mixed, details = mix(build(name, teacher, mixer), photos, index, weights)
        mixes.append(HeroMix(name, mixed[0], details['masks'][0, :, 0]))
    saliency = scale_saliency(teacher.saliency(photos.inputs, photos.scores.argmax(dim=1))[1])
    return [draw_hero(photos.inputs, saliency[:, 0], mixes, STATS, teacher.saliency_title)]


FIGURES: dict[str, tuple[Callable[[FrozenTeacher, str], list[Figure]], int]] = {
    'photos_mixers': (draw_mixers, 130),
    'photos_supermix': (draw_supermix, 150),
    'photos_transformmix': (draw_transformmix, 150),
    'hero': (draw_readme, 100),
    'glyphs': (lambda teacher, mixer: draw_glyphs(), 100),
}
"""Functions that draw, and dots per inch, by the name of the file."""


def save(figures: list[Figure], path: Path, dpi: int) -> None:
    """Write figures, one below the other, as a PNG of at most 400 kB.

    A larger one gets 256 colours. Dithering keeps photos free of bands.

    Args:
        figures: Figures to write.
        path: Path of the file.
        dpi: Dots per inch.
    """
    from PIL import Image

    pictures = []
    for figure in figures:
        canvas = FigureCanvasAgg(figure)
        figure.set_dpi(dpi)
        canvas.draw()
        pictures.append(Image.fromarray(np.asarray(canvas.buffer_rgba())).convert('RGB'))
    size = max(each.width for each in pictures), sum(each.height for each in pictures)
    whole, top = Image.new('RGB', size, 'white'), 0
    for picture in pictures:
        whole.paste(picture, (0, top))
        top += picture.height
    with atomic_path(path) as temporary:
        whole.save(temporary, optimize=True)
        if temporary.stat().st_size > MOST_BYTES:
            reduce_colours(whole).save(temporary, optimize=True)


def reduce_colours(picture: Any) -> Any:
    """Return a Pillow image in 256 colours, with the white of the page as it is.

    Args:
        picture: Image of Pillow, in RGB.
    """
    from PIL import Image

    few = picture.quantize(255)
    # Pillow dithers, by Floyd and Steinberg, only with a palette that is given
    indices = np.array(picture.quantize(palette=few))
    # it finds the nearest colour only roughly, which would tint the page
    indices[(np.asarray(picture) == 255).all(axis=-1)] = 255
    small = Image.fromarray(indices, mode='P')
    small.putpalette([*few.getpalette()[: 3 * 255], 255, 255, 255])
    return small


def main(argv: list[str] | None = None) -> dict[str, list[Figure]]:
    """Draw the figures and return them by name.

    Args:
        argv: Arguments of the command line.

    Raises:
        ImportError: If a package of the figures is missing.
    """
    parser = CommandParser(description=__doc__, example='--out docs/images')
    parser.add_argument('--out', default=str(ROOT / 'docs/images'), help='folder of the pictures')
    parser.add_argument(
        '--mixer',
        default='mmtmix://fashionmnist_k2',
        help='module of TransformMix for two images (default: %(default)s)',
    )
    parser.add_argument('--only', nargs='+', choices=FIGURES, default=[*FIGURES])
    args = parser.parse_args(argv)
    check_output_folder('--out', args.out)
    torch.set_num_threads(1)  # the same sums on every machine
    figures = {}
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        teacher = load_teacher()
        set_live_model(LiveModel(teacher.model))
        try:
            for name in args.only:
                function, dpi = FIGURES[name]
                figures[name] = function(teacher, args.mixer)
                save(figures[name], Path(args.out, f'{name}.png'), dpi)
                print(f'wrote {args.out}/{name}.png')
        finally:
            set_live_model(None)
    return figures


if __name__ == '__main__':
    sys.exit(run_command(main, __file__))
