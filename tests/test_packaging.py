"""What a wheel and a source archive hold, and whether the model index is sound."""

import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import modelindex
import pytest

ROOT = Path(__file__).resolve().parents[1]
IGNORED = shutil.ignore_patterns('__pycache__', '*.pyc', '.mim', '*.egg-info')


def files_below(folder):
    """Return the paths of all source files below a folder, relative to the root."""
    paths = {path for path in (ROOT / folder).rglob('*') if path.is_file()}
    return {path.relative_to(ROOT).as_posix() for path in paths if path.suffix != '.pyc'}


@pytest.fixture(scope='module')
def archives(tmp_path_factory):
    """Build a source archive, and a wheel from that, in a copy of the source tree."""
    source = tmp_path_factory.mktemp('source')
    for name in ('configs', 'mmtmix', 'requirements', 'tools'):
        shutil.copytree(ROOT / name, source / name, ignore=IGNORED)
    for name in ('LICENSE', 'MANIFEST.in', 'model-index.yml', 'pyproject.toml', 'setup.cfg'):
        shutil.copy(ROOT / name, source)
    shutil.copy(ROOT / 'setup.py', source)
    command = [sys.executable, '-m', 'build', '--no-isolation', '--outdir', 'dist', '.']
    result = subprocess.run(command, cwd=source, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr
    with zipfile.ZipFile(next(source.glob('dist/*.whl'))) as archive:
        wheel = set(archive.namelist())
        (entry,) = (name for name in wheel if name.endswith('entry_points.txt'))
        commands = archive.read(entry).decode()
    with tarfile.open(next(source.glob('dist/*.tar.gz'))) as archive:
        members = [member.name.partition('/')[2] for member in archive if member.isfile()]
    return {'wheel': wheel, 'sdist': set(members), 'commands': commands}


@pytest.mark.parametrize('kind', ['wheel', 'sdist'])
def test_archives_hold_what_mim_looks_for(archives, kind):
    wanted = files_below('configs') | files_below('tools') | {'model-index.yml'}
    assert {f'mmtmix/.mim/{name}' for name in wanted} <= archives[kind]


@pytest.mark.parametrize('kind', ['wheel', 'sdist'])
def test_archives_hold_the_bundled_data(archives, kind):
    data = files_below('mmtmix/datasets/data')
    assert data
    assert data <= archives[kind]


@pytest.mark.parametrize('kind', ['wheel', 'sdist'])
def test_archives_hold_the_templates_of_pages(archives, kind):
    templates = files_below('mmtmix/apps/report/templates')
    assert templates
    assert templates <= archives[kind]


def test_wheel_holds_every_module_and_nothing_else_at_the_top(archives):
    modules = {name for name in files_below('mmtmix') if name.endswith('.py')}
    modules = {name for name in modules if not name.startswith('mmtmix/.mim/')}
    assert modules <= archives['wheel']
    tops = {name.partition('/')[0] for name in archives['wheel']}
    assert {top for top in tops if not top.endswith('.dist-info')} == {'mmtmix'}


def test_wheel_has_the_command_and_the_mark_of_types(archives):
    assert 'mmtmix = mmtmix.cli.main:main' in archives['commands']
    assert 'mmtmix/py.typed' in archives['wheel']


def test_host_stack_is_never_a_hard_dependency():
    lines = (ROOT / 'requirements' / 'runtime.txt').read_text().lower()
    assert 'onedl' not in lines
    assert not any(line.startswith('mm') for line in lines.splitlines())


def test_model_index_is_sound():
    index = modelindex.load(str(ROOT / 'model-index.yml'))
    index.build_models_with_collections()
    assert index.collections
    for model in index.models or []:
        assert (ROOT / model.config).is_file(), model.config
