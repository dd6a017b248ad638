"""Make the bundled files of Glyphs: sheets of icons in six styles, and photos for backgrounds.

The icons come from npm packages of Iconify in the versions of `STYLES`, the photos from
scikit-image and scikit-learn. Other versions or contents are refused. The same packages give the
same pixels; another zlib version may compress them differently.

Example:
    npm install --prefix icons @iconify-json/noto@1.2.9 @iconify-json/noto-v1@1.2.5 \
        @iconify-json/twemoji@1.2.5 @iconify-json/fluent-emoji-flat@1.2.6 \
        @iconify-json/emojione@1.2.3 @iconify-json/fxemoji@1.2.2
    python tools/make_glyphs.py icons/node_modules mmtmix/datasets/data/glyphs
"""

from __future__ import annotations

import hashlib
import io
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from glyph_classes import read_classes
from make_fashion_mnist_subset import write_files
from photos import read_photo
from PIL import Image

from mmtmix.cli.parser import CommandParser
from mmtmix.utils import check_output_folder, run_command

CELL = 48  # pixels of a glyph
COLUMNS = 20
PHOTO = 160  # pixels of a photo
SEED = 0  # of the order of the classes
_LARGE = 192  # pixels at which icons are drawn, before they are cut and shrunk
CURE = "pip install 'mmtmix[glyphs]' installs what this tool needs"


@dataclass(frozen=True)
class Style:
    """A package of icons.

    Attributes:
        version: Version of the npm package.
        sha256: Digest of its ``icons.json``.
    """

    version: str
    sha256: str


STYLES = {
    'noto': Style('1.2.9', '9eac6ef4e7ec122b6f0e7ac281d61008afdbc720d0ce861e398b939daaa347c6'),
    'noto-v1': Style('1.2.5', 'ce70d8aa90345cf389875c3571ecd245bd943401822a0c5a0f62336bf8487333'),
    'twemoji': Style('1.2.5', '5d5d820790565b764f2728675d487c9ee4c1fc83916d8567d5aca8ba7527c242'),
    'fluent-emoji-flat': Style(
        '1.2.6', 'f5f4cf457c0db2ad5a2e42e033e02e0c87d10e43d0164cfffb3bb84914970a63'
    ),
    'emojione': Style('1.2.3', 'e9a865faed523a7c3535b5319ae533d09fac1a62b4e96920eb178bb60e707e80'),
    'fxemoji': Style('1.2.2', 'd8ef67b94a32d0abcd314d1c35db56178eaa8fa8ad71130e312f3460e307c2bf'),
}
# split, and places of square crops along the longer side, as shares of what is left over
BACKGROUNDS = {
    'cat': ('train', (0, 1)),
    'flower': ('train', (0, 1)),
    'brick': ('train', (0,)),
    'gravel': ('train', (0,)),
    'camera': ('train', (0,)),
    'clock': ('train', (0, 1)),
    'coffee': ('val', (0, 1)),
    'grass': ('val', (0,)),
    'retina': ('val', (0,)),
    'palace': ('test', (0, 1)),
    'rocket': ('test', (0, 1)),
    'hubble': ('test', (0, 1)),
}


def read_icons(folder: Path, style: str) -> dict[str, str]:
    """Read the icons of a package as SVG documents.

    Args:
        folder: Folder of the npm packages, with ``@iconify-json`` in it.
        style: Name of a package in ``STYLES``.

    Returns:
        Documents by the names of the icons and their aliases, without hyphens.

    Raises:
        FileNotFoundError: If the package is missing.
        ValueError: If it is of another version, or its contents differ.
    """
    path = folder / '@iconify-json' / style / 'icons.json'
    if not path.is_file():
        raise FileNotFoundError(
            f'{path} is missing: npm install @iconify-json/{style}@{STYLES[style].version}'
        )
    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    if digest != STYLES[style].sha256:
        raise ValueError(
            f'{path} has the sha256 {digest}, not {STYLES[style].sha256}; install version '
            f'{STYLES[style].version} of @iconify-json/{style}'
        )
    data = json.loads(content)
    icons, aliases = data['icons'], data.get('aliases', {})
    found = {}
    for name in (*aliases, *icons):  # an icon wins over an alias of the same name
        target = name
        while target not in icons:
            target = aliases[target]['parent']
        found[name.replace('-', '')] = _as_svg(icons[target], data)
    return found


def _as_svg(icon: dict, package: dict) -> str:
    width, height = (icon.get(side, package.get(side, 16)) for side in ('width', 'height'))
    box = f'{icon.get("left", 0)} {icon.get("top", 0)} {width} {height}'
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'viewBox="{box}" width="{_LARGE}" height="{_LARGE}">{icon["body"]}</svg>'
    )


def draw_icon(svg: str) -> np.ndarray:
    """Draw an icon that fills a square along its longer side.

    Args:
        svg: SVG document.

    Returns:
        Picture, uint8 (48, 48, 4): red, green, blue and opacity, black where the opacity is 0.
    """
    try:
        import resvg_py
    except ImportError as error:
        raise ImportError(f'{error.name} is missing: {CURE}') from error
    drawn = Image.open(io.BytesIO(bytes(resvg_py.svg_to_bytes(svg_string=svg)))).convert('RGBA')
    cut = drawn.crop(drawn.getchannel('A').point(lambda value: 255 * (value > 32)).getbbox())
    side = max(cut.size)
    square = Image.new('RGBA', (side, side))
    square.paste(cut, ((side - cut.width) // 2, (side - cut.height) // 2))
    # colours are weighted by opacity while they are averaged
    small = square.convert('RGBa').resize((CELL, CELL), Image.Resampling.LANCZOS)
    pixels = np.array(small.convert('RGBA'))
    pixels[pixels[..., 3] == 0] = 0
    return pixels


def draw_sheet(folder: Path, style: str, classes: Sequence[tuple[str, str, str]]) -> np.ndarray:
    """Draw all classes in one style, row by row.

    Args:
        folder: Folder of the npm packages.
        style: Name of a package in ``STYLES``.
        classes: Classes as :func:`~glyph_classes.read_classes` returns them.

    Returns:
        Sheet, uint8 (rows * 48, 960, 4).
    """
    icons = read_icons(folder, style)
    keys = [other if style == 'fxemoji' else key for _, key, other in classes]
    return _tile([draw_icon(icons[key]) for key in keys], COLUMNS)


def _tile(pictures: Sequence[np.ndarray], columns: int) -> np.ndarray:
    rows = -(-len(pictures) // columns)
    side, channels = pictures[0].shape[1:]
    sheet = np.zeros((rows, columns, side, side, channels), np.uint8)
    for number, picture in enumerate(pictures):
        sheet[divmod(number, columns)] = picture
    return sheet.transpose(0, 2, 1, 3, 4).reshape(rows * side, columns * side, channels)


def cut_photos() -> tuple[np.ndarray, list[list[str]]]:
    """Cut squares from the photos and shrink them.

    Returns:
        Squares in a row, uint8 (160, N * 160, 3), and of each its photo and split.
    """
    squares, owners = [], []
    for name, (split, places) in BACKGROUNDS.items():
        photo = Image.fromarray(read_photo(name)).convert('RGB')
        side = min(photo.size)
        for place in places:
            left, top = (round((length - side) * place) for length in photo.size)
            square = photo.crop((left, top, left + side, top + side))
            small = square.resize((PHOTO, PHOTO), Image.Resampling.LANCZOS)
            squares.append(np.array(small))
            owners.append([name, split])
    return _tile(squares, len(squares)), owners


def build_files(folder: Path) -> dict[str, bytes]:
    """Make every file in memory.

    Args:
        folder: Folder of the npm packages.

    Returns:
        File contents by name: a PNG per style, ``photos.png`` and ``index.json``.

    Raises:
        FileNotFoundError: If a package is missing.
        ImportError: If a library is missing.
        ValueError: If a package differs.
    """
    listed = read_classes()
    # RandomState's stream never changes; a Generator's may change between NumPy versions.
    order = np.random.RandomState(SEED).permutation(len(listed))
    classes = [listed[number] for number in order]
    sheets = {style: draw_sheet(folder, style, classes) for style in STYLES}
    sheets['photos'], owners = cut_photos()
    index = dict(
        cell=CELL,
        columns=COLUMNS,
        classes=[name for name, _, _ in classes],
        styles=list(STYLES),
        photo=PHOTO,
        photos=owners,
        # of the pixels, which other compressions keep
        sha256={
            name: hashlib.sha256(sheet.tobytes()).hexdigest() for name, sheet in sheets.items()
        },
    )
    files = {f'{name}.png': _as_png(sheet) for name, sheet in sheets.items()}
    return {**files, 'index.json': (json.dumps(index, indent=1) + '\n').encode()}


def _as_png(pixels: np.ndarray) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, 'PNG', optimize=True)
    return stream.getvalue()


def main(argv: Sequence[str] | None = None) -> None:
    """Make the files.

    Args:
        argv: Arguments of the command line; ``sys.argv[1:]`` if None.

    Raises:
        FileNotFoundError: If a package is missing.
        ImportError: If a library is missing.
        ValueError: If a package differs.
    """
    parser = CommandParser(description=__doc__.splitlines()[0])
    parser.add_argument('packages', type=Path, help='folder node_modules with the icon packages')
    parser.add_argument('out_dir', type=Path, help='folder to write the files to')
    args = parser.parse_args(argv)
    check_output_folder('OUT_DIR', args.out_dir)
    files = build_files(args.packages)
    write_files(args.out_dir, files)
    print(f'{len(files)} files, {sum(map(len, files.values()))} bytes in {args.out_dir}')


if __name__ == '__main__':
    sys.exit(run_command(main, __file__))
