"""Without MMEngine the functions work, with torch alone; the rest says what to install."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
HEAD = """
import importlib.metadata, importlib.util, json, sys
GONE = set({gone!r})

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition('.')[0] in GONE:
            raise ModuleNotFoundError(f'No module named {{name!r}}', name=name)

sys.meta_path.insert(0, Blocker())
find_spec, version = importlib.util.find_spec, importlib.metadata.version

def versions(name):
    if name.removeprefix('onedl-').partition('-')[0] in GONE:
        raise importlib.metadata.PackageNotFoundError(name)
    return version(name)

importlib.util.find_spec = lambda name, *more: None if name in GONE else find_spec(name, *more)
importlib.metadata.version = versions
"""
BODY = """
import torch, warnings
before = set(sys.modules)
with warnings.catch_warnings(record=True) as warned:
    warnings.simplefilter('always')
    import mmtmix, mmtmix.functional as F
loaded = {name.partition('.')[0] for name in set(sys.modules) - before}
torch.manual_seed(0)
images = torch.rand(4, 3, 8, 8)
generator = torch.Generator().manual_seed(0)
weights = F.draw_weights(4, 2, 1.0, generator)
index = F.draw_index(4, 2, generator)
masks = weights[:, :, None, None, None].expand(-1, -1, 1, 8, 8)
mixed = F.blend_batch(images, index, masks)
errors = {}
for name in ('models', 'datasets', 'engine', 'evaluation', 'utils', 'visualization'):
    try:
        __import__(f'mmtmix.{name}')
    except ImportError as error:
        errors[name] = str(error)
try:
    mmtmix.models
except ImportError as error:
    errors['attribute'] = str(error)
print('REPORT' + json.dumps(dict(
    loaded=sorted(loaded), shape=mixed.shape, errors=errors, version=mmtmix.__version__,
    warned=[str(each.message) for each in warned if 'mmtmix' in str(each.message)],
)))
"""


def report_without(*gone):
    code = HEAD.format(gone=gone) + BODY
    done = subprocess.run(
        [sys.executable, '-c', code], capture_output=True, text=True, cwd=ROOT, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.partition('REPORT')[2])


@pytest.fixture(scope='module')
def report():
    return report_without('mmengine', 'mmcv', 'mmpretrain')


def test_functions_mix_with_torch_alone(report):
    assert report['shape'] == [4, 3, 8, 8]
    assert set(report['loaded']) - set(sys.stdlib_module_names) <= {'mmtmix'}
    assert not report['warned']


def test_the_rest_says_what_to_install(report):
    rooms = {'models', 'datasets', 'engine', 'evaluation', 'utils', 'visualization', 'attribute'}
    assert report['errors'].keys() == rooms
    for text in report['errors'].values():
        assert 'mmengine is not installed' in text
        assert 'pip install -U onedl-mmengine onedl-mmcv onedl-mmpretrain' in text


def test_with_a_part_of_the_stack_a_warning_says_that_nothing_registers():
    report = report_without('mmpretrain')
    assert report['shape'] == [4, 3, 8, 8]
    (text,) = report['warned']
    assert text.startswith('mmtmix registers nothing, since mmpretrain cannot be found')
    assert 'mmpretrain is not installed' in report['errors']['models']
