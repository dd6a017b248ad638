"""What a wheel and a source archive hold, and whether the model index is sound."""

import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from email import message_from_bytes
from pathlib import Path

import modelindex
import pytest

from mmtmix.version import __version__

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
    for name in ('LICENSE', 'MANIFEST.in', 'README.md', 'model-index.yml', 'pyproject.toml'):
        shutil.copy(ROOT / name, source)
    for name in ('setup.cfg', 'setup.py'):
        shutil.copy(ROOT / name, source)
    command = [sys.executable, '-m', 'build', '--no-isolation', '--outdir', 'dist', '.']
    result = subprocess.run(command, cwd=source, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr
    with zipfile.ZipFile(next(source.glob('dist/*.whl'))) as archive:
        wheel = set(archive.namelist())
        (entry,) = (name for name in wheel if name.endswith('entry_points.txt'))
        commands = archive.read(entry).decode()
        (entry,) = (name for name in wheel if name.endswith('.dist-info/METADATA'))
        metadata = message_from_bytes(archive.read(entry))
    with tarfile.open(next(source.glob('dist/*.tar.gz'))) as archive:
        members = [member.name.partition('/')[2] for member in archive if member.isfile()]
    return dict(wheel=wheel, sdist=set(members), commands=commands, metadata=metadata)


@pytest.mark.parametrize('kind', ['wheel', 'sdist'])
def test_archives_hold_what_mim_looks_for(archives, kind):
    wanted = files_below('configs') | files_below('tools') | {'model-index.yml'}
    assert {f'mmtmix/.mim/{name}' for name in wanted} <= archives[kind]


@pytest.mark.parametrize('kind', ['wheel', 'sdist'])
@pytest.mark.parametrize('folder', ['mmtmix/datasets/data', 'mmtmix/weights'])
def test_archives_hold_the_bundled_data_and_weights(archives, kind, folder):
    data = files_below(folder)
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


def test_the_metadata_is_what_an_index_shows(archives):
    metadata = archives['metadata']
    links = dict(link.split(', ', 1) for link in metadata.get_all('Project-URL'))
    assert links.keys() == {'Homepage', 'Documentation', 'Source', 'Issues', 'Changelog'}
    assert all(link.startswith('https://') for link in links.values())
    assert metadata['License-Expression'] == 'Apache-2.0'
    assert metadata['Requires-Python'] == '>=3.10'
    assert metadata['Description-Content-Type'] == 'text/markdown'
    assert metadata.get_payload().startswith('# mmtmix')
    assert metadata['Version'] == __version__


def test_each_file_of_requirements_is_an_extra(archives):
    names = {path.stem for path in (ROOT / 'requirements').glob('*.txt')} - {'runtime'}
    other = {'mminstall': 'fork', 'mminstall-upstream': 'upstream'}
    extras = set(archives['metadata'].get_all('Provides-Extra'))
    assert extras == {other.get(name, name) for name in names}
    plain = [line for line in archives['metadata'].get_all('Requires-Dist') if ';' not in line]
    assert sorted(plain, key=str.lower) == sorted(lines_of('runtime'), key=str.lower)


def test_the_gpl_of_an_extra_is_said_where_it_is_described():
    for file in ('requirements/puzzle.txt', 'README.md'):
        text = ' '.join((ROOT / file).read_text().replace('\n# ', ' ').split())
        assert re.search(r'PyMaxflow[^.]*GPL', text), file


def lines_of(name):
    lines = (ROOT / 'requirements' / f'{name}.txt').read_text().splitlines()
    return [line for line in lines if line and not line.startswith('#')]


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
