"""Configs, found and read the way people write them."""

import os
import sys
from pathlib import Path

import pytest

import mmtmix
from mmtmix.utils import default_work_dir, load_config, resolve_config

ROOT = Path(mmtmix.__file__).resolve().parents[1]


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Write a config, and put a module named `imported_by_config` on the path."""
    (tmp_path / 'imported_by_config.py').write_text('')
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, 'imported_by_config', raising=False)

    def make(text):
        path = tmp_path / 'a_config.py'
        path.write_text(text)
        return path

    return make


def test_a_config_in_the_working_directory_goes_first(write, monkeypatch):
    path = write('a = 1')
    monkeypatch.chdir(path.parent)
    assert resolve_config('a_config.py').read_text() == 'a = 1'


def test_a_shipped_config_is_found_from_anywhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    name = 'configs/transformmix/wrn16_fashionmnist_mini.py'
    assert resolve_config(name) == ROOT / name


def test_a_config_that_is_nowhere_names_the_places(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(
        FileNotFoundError, match=f"'none.py' was not found in any of .*{tmp_path}.*mim"
    ):
        resolve_config('none.py')


@pytest.mark.parametrize(
    'imports',
    [
        "'imported_by_config'",
        "['imported_by_config']",
        "('imported_by_config',)",
        "dict(imports=['imported_by_config'], allow_failed_imports=False)",
        "dict(imports='imported_by_config')",
    ],
)
def test_every_way_to_write_custom_imports_imports(write, imports):
    load_config(write(f'custom_imports = {imports}'))
    assert 'imported_by_config' in sys.modules


def test_a_list_of_imports_becomes_the_dict_that_mmengine_reads(write):
    config = load_config(write("custom_imports = ['imported_by_config']"))
    assert config.custom_imports == dict(
        imports=['imported_by_config'], allow_failed_imports=False
    )


def test_a_failed_import_is_an_error_unless_it_is_allowed(write):
    with pytest.raises(ImportError, match='no_such_module'):
        load_config(write("custom_imports = ['no_such_module']"))
    load_config(
        write("custom_imports = dict(imports='no_such_module', allow_failed_imports=True)")
    )


@pytest.mark.parametrize('imports', ['5', "dict(modules=['x'])"])
def test_imports_that_are_neither_are_refused(write, imports):
    with pytest.raises(TypeError, match='custom_imports must be a list .*a_config.py'):
        load_config(write(f'custom_imports = {imports}'))


def test_options_override_the_file(write):
    options = {'a.b': 2, 'custom_imports': ['imported_by_config']}
    config = load_config(write('a = dict(b=1, c=3)'), options)
    assert config.a == dict(b=2, c=3)
    assert 'imported_by_config' in sys.modules


@pytest.mark.parametrize(
    ('config', 'folder'),
    [
        ('configs/transformmix/wrn28_cifar100.py', 'transformmix/wrn28_cifar100'),
        ('/somewhere/configs/a/b/c.py', 'a/b/c'),
        ('configs/old/configs/mixup/x.py', 'mixup/x'),
        ('configs/x.py', 'x'),
        ('mine/x.v2.py', 'mine/x.v2'),
        ('/somewhere/mine/x.v2.py', 'x.v2'),
        ('x.py', 'x'),
    ],
)
def test_default_work_dir_has_the_folders_below_configs(config, folder):
    assert default_work_dir(config) == os.path.join('work_dirs', *folder.split('/'))


def test_a_function_that_mmengine_does_not_run_is_explained(write):
    path = write('from mmtmix.recipes import resident\nx = resident(dict())\n')
    with pytest.raises(ValueError, match=r'line 2: .* write _base_ = \[\.\.\.\] as the file'):
        load_config(path)
