"""Weights are found in the files of other code bases, and no code in a file runs unasked."""

import argparse
import os
import sys
from collections import OrderedDict, namedtuple
from types import ModuleType

import numpy as np
import pytest
import torch
from torch import nn

from mmtmix.apps.convert import read_source

pytestmark = pytest.mark.host

STATE = OrderedDict({'conv1.weight': torch.arange(4.0), 'bn1.running_mean': torch.ones(2)})
PREFIXED = {f'module.{key}': value for key, value in STATE.items()}
MORE = dict(epoch=240, best_acc=torch.tensor(75.6), optimizer=dict(state={}, param_groups=[]))
ADVICE = 'would need unsafe loading.*If you trust its author.*--trust-source: that runs whatever'


class Network(nn.Module):
    """As pickled whole."""

    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(2, 3)


class Call:
    """Calls a function when it is unpickled."""

    def __init__(self, function, *args):
        self.reduced = function, args

    def __reduce__(self):
        return self.reduced


@pytest.fixture
def path(tmp_path):
    return tmp_path / 'ckpt_epoch_240.pth'


def same(state, expected):
    return state.keys() == expected.keys() and all(
        torch.equal(state[key], expected[key]) for key in expected
    )


@pytest.mark.filterwarnings('ignore:Detected pickle protocol')
@pytest.mark.parametrize('zipped', [True, False], ids=['zip', 'old'])
@pytest.mark.parametrize(
    'content',
    [
        STATE,
        PREFIXED,
        dict(MORE, model=STATE),
        dict(MORE, state_dict=PREFIXED),
        dict(MORE, net=STATE, acc=91.2),
        dict(MORE, state_dict_ema=STATE),
        dict(MORE, model=dict(MORE, state_dict=STATE)),
    ],
    ids=['bare', 'parallel', 'zoo', 'puzzle', 'net', 'ema', 'nested'],
)
def test_weights_are_found_wherever_code_bases_put_them(content, zipped, path):
    torch.save(content, path, _use_new_zipfile_serialization=zipped)
    assert same(read_source(path), STATE)
    assert same(read_source(str(path), trust_source=True), STATE)


def test_a_path_may_start_at_home(path, monkeypatch):
    torch.save(dict(model=STATE, opt=argparse.Namespace()), path)
    monkeypatch.setenv('HOME', str(path.parent))
    assert same(read_source(f'~/{path.name}', trust_source=True), STATE)


@pytest.mark.parametrize(
    ('content', 'expected'),
    [
        (dict(MORE, model=STATE, opt=argparse.Namespace(lr=0.1)), STATE),
        (dict(MORE, net=(network := Network())), network.state_dict()),
        (network, network.state_dict()),
    ],
    ids=['options', 'inner network', 'network'],
)
def test_more_than_tensors_is_loaded_only_on_trust(content, expected, path):
    torch.save(content, path)
    with pytest.raises(ValueError, match=rf'ckpt_epoch_240\.pth.*{ADVICE}'):
        read_source(path)
    assert same(read_source(path, trust_source=True), expected)


def test_code_runs_only_on_trust(path):
    proof = path.parent / 'proof'
    torch.save(dict(model=STATE, log=Call(os.mkdir, str(proof))), path)
    with pytest.raises(ValueError, match=ADVICE):
        read_source(path)
    assert not proof.exists()
    assert same(read_source(path, trust_source=True), STATE)
    assert proof.exists()


@pytest.mark.filterwarnings('ignore:Detected pickle protocol')
@pytest.mark.parametrize('zipped', [True, False], ids=['zip', 'old'])
@pytest.mark.parametrize('with_module', [True, False], ids=['other module', 'no module'])
def test_classes_that_are_not_installed_do_no_harm_on_trust(
    with_module, zipped, path, monkeypatch
):
    """PuzzleMix's files hold a RecorderMeter of its module ``utils``."""
    module = ModuleType('puzzle_utils')
    meter = module.RecorderMeter = type('RecorderMeter', (), dict(__module__='puzzle_utils'))
    module.Epoch = namedtuple('Epoch', 'number', module='puzzle_utils')
    recorder = meter()
    recorder.epoch_losses = np.zeros((3, 2), np.float32)
    recorder.last = module.Epoch(3)
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, 'puzzle_utils', module)
        content = dict(MORE, state_dict=PREFIXED, recorder=recorder)
        torch.save(content, path, _use_new_zipfile_serialization=zipped)
    if with_module:
        monkeypatch.setitem(sys.modules, 'puzzle_utils', ModuleType('puzzle_utils'))
    with pytest.raises(ValueError, match=ADVICE):
        read_source(path)
    assert same(read_source(path, trust_source=True), STATE)


@pytest.mark.parametrize('trust', [False, True])
@pytest.mark.parametrize('length', [0, 100, -100])
def test_a_damaged_file_is_named(length, trust, path):
    torch.save(dict(model=STATE), path)
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(ValueError, match=r'ckpt_epoch_240\.pth.* is damaged'):
        read_source(path, trust)


@pytest.mark.parametrize('trust', [False, True])
def test_a_flipped_bit_is_found(trust, path):
    """Torch gives the changed weight without a word."""
    torch.save(dict(model=dict(weight=torch.full((999,), 1.5))), path)
    content = bytearray(path.read_bytes())
    content[content.index(torch.full((99,), 1.5).numpy().tobytes()) + 400] ^= 1
    path.write_bytes(content)
    assert torch.load(path)['model']['weight'].unique().numel() == 2
    with pytest.raises(
        ValueError, match=r"ckpt_epoch_240\.pth' is damaged: its record '.*/data/0'"
    ):
        read_source(path, trust)


def test_a_file_without_checksums_is_read(path):
    torch.serialization.set_crc32_options(False)
    try:
        torch.save(dict(model=STATE), path)
    finally:
        torch.serialization.set_crc32_options(True)
    assert same(read_source(path), STATE)


def test_trust_is_not_advised_for_what_torch_never_wrote(path):
    path.write_text('<!DOCTYPE html><html><body>Sign in</body></html>')
    with pytest.raises(ValueError, match=r'is damaged or none of PyTorch.s .*<!DOCTYPE html') as e:
        read_source(path)
    assert '--trust-source' not in str(e.value)


@pytest.mark.parametrize('trust', [False, True])
def test_a_missing_file_is_named(trust, path):
    with pytest.raises(FileNotFoundError, match=f"'{path}' does not exist"):
        read_source(path, trust)


@pytest.mark.parametrize(
    ('content', 'kind'),
    [
        (MORE, "it holds .*'optimizer'"),
        ({}, r'it holds \[\]'),
        (dict(model={}), "it holds .*'model'"),
        (dict(model='resnet8', epoch=3), "it holds .*'model', 'epoch'"),
        ({1: torch.ones(1)}, r'it holds \[1\]'),
        ({1: torch.ones(1), 'epoch': 3}, r"it holds \[1, 'epoch'\]"),
        (dict(state_dict=dict(weight=[1.0])), "it holds .*'state_dict'"),
    ],
)
def test_a_file_without_weights_is_refused_with_what_it_holds(content, kind, path):
    torch.save(content, path)
    with pytest.raises(ValueError, match=rf'240\.pth.* holds no state dict.*{kind}'):
        read_source(path)


@pytest.mark.parametrize('trust', [False, True])
def test_trust_is_not_asked_for_where_it_does_not_help(trust, path):
    torch.save([torch.ones(1)], path)
    with pytest.raises(ValueError, match='holds a list, not a dict$'):
        read_source(path, trust)


@pytest.fixture
def website(path, monkeypatch):
    """Each address gives its own file: ``website[address] = content``."""
    contents = {}

    def download(address, file, *args, **kwargs):
        torch.save(contents[address], file)

    monkeypatch.setattr(torch.hub, 'download_url_to_file', download)
    monkeypatch.setenv('TORCH_HOME', str(path.parent))
    return contents


def test_addresses_that_end_alike_do_not_get_each_others_file(website):
    """The distillation zoo's all end in ckpt_epoch_240.pth, and torch's cache goes by that."""
    first, second = (f'https://example.com/{name}/ckpt_epoch_240.pth?a=b' for name in 'ab')
    website[first], website[second] = dict(model=STATE), dict(model=dict(weight=torch.ones(1)))
    assert same(read_source(first), STATE)
    assert read_source(second).keys() == {'weight'}


def test_what_is_at_an_address_needs_trust_as_well(website):
    address = 'https://example.com/ckpt_epoch_240.pth'
    website[address] = dict(model=STATE, opt=argparse.Namespace())
    with pytest.raises(ValueError, match=f"'{address}'.*{ADVICE}"):
        read_source(address)
    assert same(read_source(address, trust_source=True), STATE)
