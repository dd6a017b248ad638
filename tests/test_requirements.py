"""Each package that mmtmix imports is declared: core ones by the core, others by an extra."""

import ast
import re
import sys
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FILES = sorted(
    path for path in (ROOT / 'mmtmix').rglob('*.py') if '.mim' not in path.relative_to(ROOT).parts
)
HOST = ('mminstall', 'mminstall-upstream')
# names of the two distributions of the host stack and of OpenCV, of which one is installed here
OTHER_NAMES = {
    'mmengine': {'mmengine', 'onedl-mmengine'},
    'mmcv': {'mmcv-lite', 'onedl-mmcv'},
    'mmpretrain': {'mmpretrain', 'onedl-mmpretrain'},
    'cv2': {'opencv-python'},
    'PIL': {'pillow'},
    'yaml': {'pyyaml'},
    'sklearn': {'scikit-learn'},
    'kornia': {'kornia'},  # in no environment of the tests
}


@cache
def declared(*names):
    """Names of the distributions in files of requirements."""
    lines = [
        line
        for name in names
        for line in (ROOT / 'requirements' / f'{name}.txt').read_text().splitlines()
        if line and not line.startswith('#')
    ]
    return {re.split(r'[\s<>=!~\[;]', line)[0].lower().replace('_', '-') for line in lines}


def distributions(module):
    """Names under which a module can be declared."""
    known = packages_distributions().get(module, [])
    return OTHER_NAMES.get(module) or {name.lower().replace('_', '-') for name in known}


def imports(tree, is_top):
    """Outer names of the modules that are imported at the top of a file, or below it."""
    top = set(tree.body)
    for node in ast.walk(tree):
        if (node in top) == is_top:
            if isinstance(node, ast.Import):
                yield from (alias.name.partition('.')[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and not node.level:
                yield node.module.partition('.')[0]


def found(is_top):
    """Files that import each foreign module."""
    modules = {}
    for path in FILES:
        for name in imports(ast.parse(path.read_text(encoding='utf-8')), is_top):
            if name not in sys.stdlib_module_names and name != 'mmtmix':
                modules.setdefault(name, path.relative_to(ROOT).as_posix())
    return modules


@pytest.mark.parametrize('host', HOST)
def test_what_files_import_at_their_top_is_in_the_core_or_the_host_stack(host):
    missing = {
        name: file
        for name, file in found(is_top=True).items()
        if not distributions(name) & declared('runtime', host)
    }
    # pages of an extra, which their command imports alone, may import it at the top
    extras = declared(*others())
    missing = {name: file for name, file in missing.items() if not distributions(name) & extras}
    assert not missing


def others():
    names = {path.stem for path in (ROOT / 'requirements').glob('*.txt')}
    return sorted(names - {'runtime', 'tests', *HOST})


def test_what_functions_import_is_in_the_core_the_host_stack_or_an_extra():
    known = declared('runtime', *HOST, *others())
    modules = found(is_top=False)
    assert {'submitit', 'optuna'} <= modules.keys()
    assert not {name: file for name, file in modules.items() if not distributions(name) & known}


def test_requirements_of_the_core_are_imported():
    """Nothing is declared that nobody needs; torchvision comes with torch's version."""
    used = {name for is_top in (True, False) for name in found(is_top)}
    names = set().union(*map(distributions, used))
    assert declared('runtime') <= names


def test_both_host_stacks_declare_the_same_packages():
    fork, upstream = (
        {name.removeprefix('onedl-').removesuffix('-lite') for name in declared(host)}
        for host in HOST
    )
    assert fork == upstream


def test_constraints_of_the_oldest_versions_are_the_least_that_are_declared():
    lines = (ROOT / '.github' / 'oldest.txt').read_text().splitlines()
    oldest = dict(line.lower().split('==') for line in lines if not line.startswith('#'))
    assert oldest.pop('torchvision') == '0.21.0'  # that of torch 2.6
    for name, version in oldest.items():
        text = (ROOT / 'requirements' / 'runtime.txt').read_text()
        text += (ROOT / 'requirements' / 'mminstall.txt').read_text()
        (least,) = re.findall(rf'^{name}>=(\S+)$', text, re.MULTILINE | re.IGNORECASE)
        assert version.removesuffix('.0') == least.removesuffix('.0'), name
