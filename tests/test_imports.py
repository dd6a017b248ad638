"""Imports point one way, and importing the package stays light."""

import ast
import json
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from mmtmix.program import TOOLS

pytestmark = pytest.mark.host

PACKAGE = Path(__file__).resolve().parents[1] / 'mmtmix'
FILES = sorted(PACKAGE.rglob('*.py'))
# beneath all houses
BELOW = tuple(f'mmtmix.{name}' for name in ('checks', 'program', 'host', 'needs_host', 'version'))


def module_of(path):
    parts = path.relative_to(PACKAGE.parent).with_suffix('').parts
    return '.'.join(parts[:-1] if parts[-1] == '__init__' else parts)


@cache
def imports_of(path):
    """The modules that a file imports anywhere in it, by their full names."""
    package = module_of(path.parent / '__init__.py')
    nodes = ast.walk(ast.parse(path.read_text(encoding='utf-8')))
    return {name for node in nodes for name in imported(node, package)}


def imported(node, package):
    """The modules that a statement imports in a module of a package; none for other statements."""
    if isinstance(node, ast.Import):
        return {alias.name for alias in node.names}
    if not isinstance(node, ast.ImportFrom):
        return set()
    parts = package.split('.')
    base = parts[: len(parts) - node.level + 1] if node.level else []
    name = '.'.join([*base, *([node.module] if node.module else [])])
    # `from . import x` and `from mmtmix import x` may name modules
    return {name} | {f'{name}.{alias.name}' for alias in node.names}


def within(name, *packages):
    return any(name == package or name.startswith(f'{package}.') for package in packages)


def offenders(house, allowed):
    """Imports of mmtmix's own modules by files of a house that are in none of the allowed."""
    files = [path for path in FILES if within(module_of(path), house)]
    assert files, house
    own = {(module_of(path), name) for path in files for name in imports_of(path)}
    own = {(file, name) for file, name in own if within(name, 'mmtmix') and name != 'mmtmix'}
    return {(file, name) for file, name in own if not within(name, *BELOW) and not allowed(name)}


def test_functional_imports_torch_and_nothing_else():
    files = [path for path in FILES if within(module_of(path), 'mmtmix.functional')]
    for name in set().union(*map(imports_of, files)):
        root = name.split('.')[0]
        assert root in {'torch', *sys.stdlib_module_names} or within(
            name, 'mmtmix.functional', 'mmtmix.checks'
        )


def test_the_checks_of_arguments_import_nothing():
    assert {name.split('.')[0] for name in imports_of(PACKAGE / 'checks.py')} <= set(
        sys.stdlib_module_names
    )


@pytest.mark.parametrize('house', ['mmtmix.functional', 'mmtmix.utils', 'mmtmix.models.backbones'])
def test_the_lowest_houses_import_nothing_else_of_the_package(house):
    assert not offenders(house, lambda name: within(name, house))


def test_data_sets_import_nothing_but_utils_and_functions():
    house = 'mmtmix.datasets'
    lower = 'mmtmix.utils', 'mmtmix.functional'
    assert not offenders(house, lambda name: within(name, house, *lower))


FLOORS = [
    {'mmtmix.models.teachers', 'mmtmix.models.mixers', 'mmtmix.models.backbones'},
    {'mmtmix.models.augments'},
    {'mmtmix.models.search'},
    {'mmtmix.engine', 'mmtmix.evaluation', 'mmtmix.visualization'},
    {'mmtmix.recipes'},
    {'mmtmix.apps'},
    {'mmtmix.cli'},
]


@pytest.mark.parametrize('floor', range(len(FLOORS)))
def test_no_house_imports_one_above_it(floor):
    above = set().union(*FLOORS[floor + 1 :])
    for house in FLOORS[floor]:
        assert not offenders(house, lambda name: not within(name, *above))


def test_teachers_and_mixers_do_not_know_each_other():
    teachers, mixers = 'mmtmix.models.teachers', 'mmtmix.models.mixers'
    assert not offenders(teachers, lambda name: not within(name, mixers))
    assert not offenders(mixers, lambda name: not within(name, teachers))


def test_the_conversion_imports_models_and_utils_alone():
    house = 'mmtmix.apps.convert'
    assert not offenders(house, lambda name: within(name, house, 'mmtmix.models', 'mmtmix.utils'))


def test_nobody_but_apps_and_the_command_imports_apps():
    for path in FILES:
        if not within(module_of(path), 'mmtmix.apps', 'mmtmix.cli'):
            assert not any(within(name, 'mmtmix.apps') for name in imports_of(path)), path


def test_nothing_but_apps_imports_the_visualization():
    for path in FILES:
        if not within(module_of(path), 'mmtmix.apps', 'mmtmix.visualization'):
            assert not any(within(name, 'mmtmix.visualization') for name in imports_of(path)), path


def test_what_the_command_loads_before_it_parses_imports_nothing_heavy():
    files = [path for path in FILES if within(module_of(path), 'mmtmix.cli')]
    for path in [*files, PACKAGE / 'program.py', PACKAGE / 'host.py', PACKAGE / '__init__.py']:
        at_top = ast.parse(path.read_text(encoding='utf-8')).body
        names = {
            name
            for node in at_top
            for name in imported(node, module_of(path.parent / '__init__.py'))
        }
        own = {name for name in names if within(name, 'mmtmix')}
        assert {name.partition('.')[0] for name in names - own} <= set(sys.stdlib_module_names)
        assert all(within(name, 'mmtmix.cli', *BELOW) or name == 'mmtmix' for name in own), path


def test_tools_are_thin_files_of_the_commands():
    for tool in TOOLS.values():
        path = PACKAGE.parent / 'tools' / tool
        names = {name for node in ast.parse(path.read_text()).body for name in imported(node, '')}
        assert names == {'sys', 'mmtmix.cli.main', 'mmtmix.cli.main.run_tool'}
        assert len(path.read_text().splitlines()) < 10


HOST = """
import mmengine.dist, mmengine.evaluator, mmengine.hooks, mmengine.model, mmengine.optim
import mmengine.runner, mmpretrain.datasets, mmpretrain.models, mmpretrain.structures
"""
REPORT = """
import json, sys
before, opened = set(sys.modules), []
sys.addaudithook(lambda event, args: opened.append(args[0]) if event == 'open' else None)
import mmtmix
# importlib.metadata tries the entries of the path themselves, for they may be archives
opened = [name for name in opened if isinstance(name, str) and name not in sys.path]
import torch
from mmpretrain.registry import BATCH_AUGMENTS, HOOKS, LOOPS, METRICS, MODELS
registries = [BATCH_AUGMENTS, HOOKS, LOOPS, METRICS, MODELS]
print('REPORT' + json.dumps(dict(
    modules=sorted(set(sys.modules) - before),
    opened=opened,
    cuda=torch.cuda.is_initialized(),
    registered=sorted({name for registry in registries for name in registry.module_dict}),
)))
"""


@pytest.fixture(scope='module')
def fresh_import():
    """What `import mmtmix` does in a new interpreter that has its hosts."""
    command = [sys.executable, '-c', HOST + REPORT]
    done = subprocess.run(command, capture_output=True, text=True, cwd=PACKAGE.parent, timeout=300)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.partition('REPORT')[2])


def test_importing_initialises_no_cuda(fresh_import):
    assert not fresh_import['cuda']


def test_importing_brings_no_plotting_library(fresh_import):
    plotting = ('matplotlib', 'PIL', 'seaborn', 'plotly', 'mmtmix.visualization')
    assert not [name for name in fresh_import['modules'] if within(name, *plotting)]


def test_importing_opens_nothing_but_code_and_package_metadata(fresh_import):
    code = re.compile(r'\.(py|pyc|pyc\.\d+)$')  # a .pyc has a number while it is written
    others = {name for name in fresh_import['opened'] if not code.search(name)}
    assert not {name for name in others if Path(name).name not in {'METADATA', 'PKG-INFO'}}


def test_importing_registers_everything_into_mmpretrain(fresh_import):
    expected = {
        'CifarMobileNetV2',
        'CifarResNeXt',
        'CifarResNet',
        'CifarShuffleNetV1',
        'CifarShuffleNetV2',
        'CifarVGG',
        'DeepResNet',
        'EfficientNetLite0',
        'FiniteStopHook',
        'LastCheckpointHook',
        'MixQuality',
        'MixerSearch',
        'MixerSearchLoop',
        'PreActResNet',
        'SampleCutMix',
        'SampleMixup',
        'ShakeShake',
        'SuperMix',
        'TransformMix',
        'TransformMixer',
        'WideResNet',
    }
    assert expected <= set(fresh_import['registered'])
