"""The check of the host frameworks, with made-up environments and with the real one."""

import importlib
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace

import pytest

from mmtmix import host

pytestmark = pytest.mark.host

ROOT = Path(__file__).resolve().parents[1]
FORK = {
    'torch': '2.6.0',
    'onedl-mmengine': '0.10.12',
    'onedl-mmcv': '2.3.6',
    'onedl-mmpretrain': '1.3.6',
}
UPSTREAM = {
    'torch': '2.14.1+cpu',
    'mmengine': '0.10.4',
    'mmcv-lite': '2.0.1',
    'mmpretrain': '1.2.0',
}


@pytest.fixture
def environment(monkeypatch):
    """Return a function that makes the check see the given distributions and modules."""

    def pretend(installed, modules=('torch', 'mmengine', 'mmcv', 'mmpretrain')):
        def version(name):
            if name not in installed:
                raise metadata.PackageNotFoundError(name)
            return installed[name]

        monkeypatch.setattr(host.metadata, 'version', version)
        monkeypatch.setattr(host.util, 'find_spec', lambda name: name if name in modules else None)

    return pretend


def failure():
    """Return the message of the check, which must fail."""
    with pytest.raises(ImportError) as caught:
        host.check_host()
    return str(caught.value)


def test_this_environment_passes():
    host.check_host()


@pytest.mark.parametrize('installed', [FORK, UPSTREAM])
def test_each_distribution_passes(environment, installed):
    environment(installed)
    host.check_host()


def test_everything_missing_names_both_ways_out(environment):
    environment({}, modules=())
    message = failure()
    for module in ('torch', 'mmengine', 'mmcv', 'mmpretrain'):
        assert f'- {module} is not installed: ' in message
    assert 'pip install -U "torch>=2.6" torchvision' in message
    assert 'pip install -U onedl-mmengine onedl-mmcv onedl-mmpretrain' in message
    assert 'pip install -U mmengine mmcv-lite mmpretrain' in message
    assert 'never both' in message


def test_only_what_is_wrong_is_reported(environment):
    environment(FORK | {'torch': '2.3.1'})
    message = failure()
    assert '- torch 2.3.1 is too old: 2.6 or later is needed' in message
    assert 'mmengine' not in message


@pytest.mark.parametrize(
    ('name', 'old'),
    [('mmengine', '0.10.3'), ('mmcv-lite', '2.0.0rc4'), ('mmpretrain', '1.1.1')],
)
def test_too_old_names_distribution_and_both_versions(environment, name, old):
    environment(UPSTREAM | {name: old})
    minimum = {'mmengine': '0.10.4', 'mmcv-lite': '2.0.1', 'mmpretrain': '1.2.0'}[name]
    message = failure()
    assert f'- {name} {old} is too old: {minimum} or later is needed' in message
    assert 'torch' not in message


@pytest.mark.parametrize(
    ('extra', 'module'),
    [
        ('onedl-mmengine', 'mmengine'),
        ('onedl-mmcv', 'mmcv'),
        ('mmcv', 'mmcv'),
        ('onedl-mmpretrain', 'mmpretrain'),
    ],
)
def test_two_distributions_of_one_package_are_refused(environment, extra, module):
    environment(UPSTREAM | {extra: '99.0'})
    message = failure()
    assert f'- {module} is installed 2 times' in message
    assert re.search(rf'pip uninstall .*{extra}', message)


def test_metadata_without_files_counts_as_missing(environment):
    environment(FORK, modules=('torch', 'mmengine', 'mmpretrain'))
    assert '- mmcv is not installed (pip lists onedl-mmcv, but its files are gone)' in failure()


@pytest.mark.parametrize(
    ('version', 'passes'), [('0.10.4', True), ('0.9.9', False), (None, False)]
)
def test_without_metadata_the_module_is_asked(environment, monkeypatch, version, passes):
    environment({name: number for name, number in FORK.items() if name != 'onedl-mmengine'})
    module = SimpleNamespace(__version__=version) if version else SimpleNamespace()
    monkeypatch.setitem(sys.modules, 'mmengine', module)
    if passes:
        host.check_host()
    else:
        assert f'- mmengine {version or "unknown"} is too old' in failure()


def test_without_metadata_a_broken_module_is_reported(environment, monkeypatch):
    def explode(name):
        raise AssertionError(f'{name} is half there')

    environment({name: number for name, number in FORK.items() if name != 'onedl-mmpretrain'})
    monkeypatch.setattr(importlib, 'import_module', explode)
    assert "mmpretrain has no metadata and cannot be imported: AssertionError('mmp" in failure()


@pytest.mark.parametrize(
    ('version', 'numbers'),
    [
        ('2.4', (2, 4, 0)),
        ('2.14.1+cu130', (2, 14, 1)),
        ('2.4.0a0+git1234', (2, 4, 0)),
        ('1.2.0rc1', (1, 2, 0)),
        ('0.10.7.1', (0, 10, 7)),
        ('unknown', (0, 0, 0)),
    ],
)
def test_release(version, numbers):
    assert host.release(version) == numbers


def run_check(tmp_path):
    """Run the check alone in a new process that also sees the distributions in `tmp_path`."""
    code = f"""
import importlib.util, sys
sys.path.insert(0, {str(tmp_path)!r})
spec = importlib.util.spec_from_file_location('host', {host.__file__!r})
host = importlib.util.module_from_spec(spec)
spec.loader.exec_module(host)
host.check_host()
print(sorted(set(sys.modules) & {{'torch', 'mmengine', 'mmcv', 'mmpretrain', 'numpy', 'cv2'}}))
"""
    return subprocess.run([sys.executable, '-c', code], capture_output=True, text=True)


def test_the_check_imports_nothing_heavy(tmp_path):
    result = run_check(tmp_path)
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip() == '[]'


def test_real_metadata_of_a_second_distribution_is_seen(tmp_path):
    for name in ('mmengine', 'onedl_mmengine'):
        folder = tmp_path / f'{name}-0.10.99.dist-info'
        folder.mkdir()
        (folder / 'METADATA').write_text(f'Metadata-Version: 2.1\nName: {name}\nVersion: 0.10.99')
    result = run_check(tmp_path)
    assert result.returncode != 0
    assert 'mmengine is installed 2 times, by mmengine and onedl-mmengine' in result.stderr


def test_requirement_files_ask_for_no_less_than_the_check():
    lines = []
    for file in ('runtime', 'mminstall', 'mminstall-upstream'):
        lines += (ROOT / 'requirements' / f'{file}.txt').read_text().splitlines()
    asked = dict(line.split('>=') for line in lines if '>=' in line)
    for requirement in host.REQUIREMENTS:
        named = [asked[name] for name in requirement.distributions if name in asked]
        assert named, f'no requirements file names {requirement.module}'
        for version in named:
            assert host.release(version) >= host.release(requirement.minimum)
