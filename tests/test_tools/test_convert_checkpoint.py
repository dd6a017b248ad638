"""tools/convert_checkpoint.py as a user runs it."""

import argparse
import importlib.util
import re
from pathlib import Path

import pytest
import torch
import torchvision

from mmtmix.conversion import ARCHS
from mmtmix.conversion.convert import build_network
from mmtmix.utils import load_checkpoint

pytestmark = pytest.mark.host

ROOT = Path(__file__).resolve().parents[2]
ARCH = 'resnet18_imagenet'


@pytest.fixture(scope='module')
def main():
    path = ROOT / 'tools' / 'convert_checkpoint.py'
    spec = importlib.util.spec_from_file_location('convert_checkpoint_tool', path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return lambda *args: module.main([str(arg) for arg in args])


@pytest.fixture(scope='module')
def network():
    torch.manual_seed(0)
    return torchvision.models.resnet18(num_classes=5).eval()


@pytest.fixture
def source(network, tmp_path, monkeypatch):
    """A file of torchvision's network, in the current folder."""
    monkeypatch.chdir(tmp_path)
    torch.save(network.state_dict(), 'source.pth')
    return Path('source.pth')


def test_a_file_is_converted_and_its_config_named(main, source, network, capsys):
    main(source, 'out/resnet18.pth', '--arch', ARCH)
    said = capsys.readouterr().out.strip()
    assert said == (
        'wrote out/resnet18.pth: resnet18_imagenet with 5 classes, '
        'for configs/_base_/models/resnet18_imagenet.py'
    )
    model = build_network(ARCHS[ARCH], 5).eval()
    model.load_state_dict(load_checkpoint('out/resnet18.pth')['state_dict'])
    images = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(model(images, mode='tensor'), network(images))


def test_unsafe_files_are_converted_only_on_trust(main, source, network):
    torch.save(dict(model=network.state_dict(), opt=argparse.Namespace(lr=0.1)), source)
    arguments = (source, 'out.pth', '--arch', ARCH)
    with pytest.raises(ValueError, match='--trust-source: that runs whatever code'):
        main(*arguments)
    assert not Path('out.pth').exists()
    main(*arguments, '--trust-source')
    assert load_checkpoint('out.pth')['meta']['arch'] == ARCH


def test_help_lists_every_network_and_the_risk(main, capsys):
    with pytest.raises(SystemExit) as caught:
        main('--help')
    assert caught.value.code == 0
    words = re.split(r'[\s,]+', said := capsys.readouterr().out)
    assert ARCHS.keys() <= set(words)
    assert 'runs whatever code is in the file' in ' '.join(said.split())


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (('a.pth', 'b.pth', '--arch', 'resnet9'), "argument --arch: invalid choice: 'resnet9'"),
        (('a.pth', 'b.pth'), 'arguments are required: --arch'),
        (('a.pth', '--arch', 'resnet8'), 'arguments are required: target'),
    ],
)
def test_a_wrong_call_ends_with_what_is_wrong(main, arguments, message, capsys):
    with pytest.raises(SystemExit) as caught:
        main(*arguments)
    assert caught.value.code == 2
    assert message in capsys.readouterr().err


def test_a_missing_file_is_named(main, tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere.pth' does not exist"):
        main(tmp_path / 'nowhere.pth', tmp_path / 'out.pth', '--arch', 'resnet8')
