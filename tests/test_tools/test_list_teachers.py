"""docs/teachers.md has the table that tools/list_teachers.py makes of MMPretrain's families."""

import pytest
from mmpretrain.models import backbones

pytestmark = [pytest.mark.host, pytest.mark.filterwarnings('ignore')]


@pytest.fixture(scope='module')
def tool(load):
    return load('list_teachers')


def test_the_page_is_up_to_date(tool):
    assert tool.main(['--check']) == 0


def test_every_backbone_is_listed_or_left_out_with_a_reason(tool):
    families, left_out = tool.read_families()
    listed = {family['backbone']['type'] for family in families.values()}
    assert not listed & left_out.keys()
    assert listed | left_out.keys() == set(backbones.__all__)
    assert all(left_out.values())


def test_an_old_page_is_noticed_and_filled_anew(tool, tmp_path, monkeypatch, capsys):
    families, left_out = tool.read_families()
    few = {name: families[name] for name in ('ResNet', 'DeiT III')}
    monkeypatch.setattr(tool, 'read_families', lambda: (few, left_out))
    page = tmp_path / 'teachers.md'
    page.write_text(f'head\n{tool.BEGIN}old\n{tool.END}\ntail\n')
    assert tool.main(['--check', '--out', str(page)]) == 1
    assert 'tools/list_teachers.py' in capsys.readouterr().err
    assert tool.main(['--out', str(page)]) == 0
    text = page.read_text()
    assert text.startswith('head\n') and text.endswith('\ntail\n') and 'old' not in text
    assert '| DeiT III | `DeiT3` | Grad-CAM | `backbone.layers.1.ln1` (tokens, 1 extra) |' in text
    assert tool.main(['--check', '--out', str(page)]) == 0


def test_a_family_that_no_layer_serves_gets_input_gradients(tool, monkeypatch):
    families, _ = tool.read_families()
    mixer = families['MLP-Mixer']
    monkeypatch.setattr('mmtmix.models.teachers.cam_layer.find_layout', lambda *args: None)
    how, layer, cells = tool.describe(mixer)
    assert (how, layer) == ('gradients', 'its logits by the image')
    assert cells == '64x64 of 64x64 pixels'
