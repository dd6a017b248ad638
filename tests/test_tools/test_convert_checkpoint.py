"""tools/convert_checkpoint.py as a user runs it."""

import argparse
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import torchvision

from mmtmix.apps.convert import ARCHS
from mmtmix.apps.convert.convert import build_network
from mmtmix.utils import load_checkpoint

pytestmark = pytest.mark.host

ROOT = Path(__file__).resolve().parents[2]
ARCH = 'resnet18_imagenet'


@pytest.fixture(scope='module')
def main(load):
    return lambda *args: load('convert_checkpoint').main([str(arg) for arg in args])


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
    main(source, 'out/resnet18.pth', '--arch', ARCH, '--num-classes', 5)
    said = capsys.readouterr().out.splitlines()
    assert said[:2] == [
        'wrote out/resnet18.pth: resnet18_imagenet with 5 classes, '
        'for configs/_base_/models/resnet18_imagenet.py',
        "as a teacher: dict(config=..., checkpoint='out/resnet18.pth')",
    ]
    model = build_network(ARCHS[ARCH], 5).eval()
    model.load_state_dict(load_checkpoint('out/resnet18.pth')['state_dict'])
    images = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(model(images, mode='tensor'), network(images))


def test_unsafe_files_are_converted_only_on_trust(main, source, network):
    torch.save(dict(model=network.state_dict(), opt=argparse.Namespace(lr=0.1)), source)
    arguments = (source, 'out.pth', '--arch', ARCH, '--num-classes', '5')
    with pytest.raises(ValueError, match='--trust-source: that runs whatever code'):
        main(*arguments)
    assert not Path('out.pth').exists()
    main(*arguments, '--trust-source')
    assert load_checkpoint('out.pth')['meta']['arch'] == ARCH


def test_help_names_the_risk_and_list_every_network(main, capsys):
    with pytest.raises(SystemExit) as caught:
        main('--help')
    assert caught.value.code == 0
    assert 'runs whatever code is in the file' in ' '.join(capsys.readouterr().out.split())
    main('--list')
    assert capsys.readouterr().out.split() == list(ARCHS)


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (('a.pth', 'b.pth'), '--arch is required'),
        (('a.pth', '--arch', 'resnet8'), '--out is required'),
    ],
)
def test_a_wrong_call_ends_with_what_is_wrong(main, arguments, message, capsys):
    with pytest.raises(SystemExit) as caught:
        main(*arguments)
    assert caught.value.code == 2
    assert message in capsys.readouterr().err


def test_an_unknown_network_is_refused_with_those_that_there_are(main):
    with pytest.raises(ValueError, match="--arch must be one of .*'resnet110'.*, got 'resnet9'"):
        main('a.pth', 'b.pth', '--arch', 'resnet9')


def spoil(kind, path):
    """Make a file that can't be converted."""
    whole = path.read_bytes()
    path.unlink()
    if kind == 'directory':
        path.mkdir()
    elif kind == 'page':
        path.write_text('<!DOCTYPE html>\n<html>\n<body>Sign in</body>\n</html>')
    elif kind == 'truncated':
        path.write_bytes(whole[: len(whole) // 2])
    elif kind == 'empty':
        path.touch()
    elif kind == 'numbers':
        torch.save([1, 2], path)
    elif kind == 'unsafe':
        torch.save(dict(opt=argparse.Namespace(lr=0.1)), path)


WRONG = {
    'missing': r"checkpoint 'source\.pth' does not exist",
    'directory': r"checkpoint 'source\.pth' is a folder, not a file",
    'page': r"'source\.pth' is damaged or none of PyTorch's at all: it begins with b'<!DOCTYPE",
    'truncated': r"'source\.pth' is damaged: PytorchStreamReader",
    'empty': r"'source\.pth' is damaged or none of PyTorch's at all: it is empty",
    'numbers': r"'source\.pth' holds a list, not a dict",
    'unsafe': r"'source\.pth' is damaged, or holds more than .*: .*GLOBAL argparse\.Namespace was "
    r'not an allowed global by default\. If you trust .* --trust-source: that runs',
}


@pytest.mark.filterwarnings('error')
@pytest.mark.parametrize('kind', WRONG)
def test_a_wrong_file_ends_the_tool_with_one_line(kind, source, monkeypatch, capsys):
    spoil(kind, source)
    monkeypatch.setattr(sys, 'argv', ['tool', 'source.pth', 'out.pth', '--arch', 'resnet8'])
    with pytest.raises(SystemExit) as caught:
        runpy.run_path(str(ROOT / 'tools' / 'convert_checkpoint.py'), run_name='__main__')
    assert caught.value.code == 2
    printed, message = capsys.readouterr()
    assert re.match(r'convert_checkpoint\.py: error: checkpoint ', message)
    assert re.search(WRONG[kind], message)
    assert message.count('\n') == 1 and 'weights_only' not in message
    assert printed == ''
    assert not Path('out.pth').exists()


def test_errors_are_a_line_without_traceback_and_status_2(source):
    Path('out.pth').write_text('an older one')
    command = [sys.executable, ROOT / 'tools' / 'convert_checkpoint.py']
    ended = subprocess.run(
        [*command, source, 'out.pth', '--arch', ARCH], capture_output=True, text=True
    )
    assert ended.returncode == 2
    assert ended.stderr.splitlines()[-1] == (
        "convert_checkpoint.py: error: 'out.pth' exists; give another name, or replace it: --force"
    )
    assert 'Traceback' not in ended.stderr


def test_a_target_that_exists_is_replaced_by_force(main, source):
    Path('out.pth').write_text('an older one')
    main(source, 'out.pth', '--arch', ARCH, '--num-classes', 5, '--force')
    assert load_checkpoint('out.pth')['meta']['arch'] == ARCH


def test_other_classes_are_refused_unless_they_are_meant(main, source):
    with pytest.raises(ValueError, match='5 classes and the config of resnet18_imagenet 1000.*-c'):
        main(source, 'out.pth', '--arch', ARCH)
    assert not Path('out.pth').exists()
