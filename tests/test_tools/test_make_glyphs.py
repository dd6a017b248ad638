"""tools/make_glyphs.py: what it reads, and that the bundled files are of its classes."""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

import numpy as np
import pytest

from mmtmix.datasets.glyphs.bundle import load_index

TOOLS = Path(__file__).resolve().parents[2] / 'tools'


@pytest.fixture
def tool(monkeypatch, load):
    monkeypatch.syspath_prepend(str(TOOLS))
    yield load('make_glyphs')
    for name in ('glyph_classes', 'make_fashion_mnist_subset', 'photos'):
        sys.modules.pop(name, None)


def write_package(tool, monkeypatch, folder):
    """Write a package of two icons and an alias, and return its folder."""
    icons = dict(
        width=20,
        icons={'red-apple': dict(body='<a/>'), 'pear': dict(body='<p/>', width=8, left=2)},
        aliases={'pomme': dict(parent='red-apple'), 'pear': dict(parent='red-apple')},
    )
    content = json.dumps(icons).encode()
    path = folder / '@iconify-json' / 'noto' / 'icons.json'
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    style = tool.Style('1.0', hashlib.sha256(content).hexdigest())
    monkeypatch.setitem(tool.STYLES, 'noto', style)
    return path


def test_icons_are_found_by_name_and_alias(tool, monkeypatch, tmp_path):
    write_package(tool, monkeypatch, tmp_path)
    found = tool.read_icons(tmp_path, 'noto')
    assert found.keys() == {'redapple', 'pear', 'pomme'}
    assert found['pomme'] == found['redapple']
    assert 'viewBox="0 0 20 16"' in found['redapple'] and '<a/>' in found['redapple']
    assert 'viewBox="2 0 8 16"' in found['pear'] and '<p/>' in found['pear']


def test_other_packages_are_refused(tool, monkeypatch, tmp_path):
    with pytest.raises(FileNotFoundError, match=r'npm install @iconify-json/noto@1\.2\.9'):
        tool.read_icons(tmp_path, 'noto')
    path = write_package(tool, monkeypatch, tmp_path)
    path.write_text('{}')
    with pytest.raises(ValueError, match=r'install version 1\.0 of @iconify-json/noto'):
        tool.read_icons(tmp_path, 'noto')


def test_the_bundled_classes_are_those_of_the_tool(tool):
    listed = [name for name, _, _ in tool.read_classes()]
    order = np.random.RandomState(tool.SEED).permutation(len(listed))
    index = load_index()
    assert index['classes'] == [listed[number] for number in order]
    assert index['styles'] == [*tool.STYLES]
    wanted = [[name, split] for name, (split, cuts) in tool.BACKGROUNDS.items() for _ in cuts]
    assert index['photos'] == wanted


def test_pictures_stand_row_by_row(tool):
    pictures = [np.full((2, 2, 3), number, np.uint8) for number in range(5)]
    sheet = tool._tile(pictures, 3)
    assert sheet.shape == (4, 6, 3)
    assert sheet[::2, ::2, 0].tolist() == [[0, 1, 2], [3, 4, 0]]


def test_the_bundled_photos_are_made_again(tool):
    pytest.importorskip('skimage')
    pixels, owners = tool.cut_photos()
    index = load_index()
    assert owners == index['photos']
    assert pixels.shape == (160, 160 * len(owners), 3)
    if hashlib.sha256(pixels.tobytes()).hexdigest() != index['sha256']['photos']:
        pytest.skip('another Pillow rounds in another way')


def test_bundled_icons_are_made_again(tool):
    pytest.importorskip('resvg_py')
    svg = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16" width="192" height="192">'
    drawn = tool.draw_icon(svg + '<rect x="4" y="6" width="8" height="4" fill="#f00"/></svg>')
    assert drawn.shape == (48, 48, 4)
    np.testing.assert_allclose(
        drawn[16:32, 2:46].astype(int), [[[255, 0, 0, 255]] * 44] * 16, atol=2
    )
    assert not drawn[:9].any() and not drawn[39:].any()
