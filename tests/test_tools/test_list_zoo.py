"""docs/zoo.md is what tools/list_zoo.py makes of the configs."""

import re

import pytest


@pytest.fixture(scope='module')
def tool(load):
    return load('list_zoo')


def test_the_page_is_up_to_date(tool):
    assert tool.main(['--check']) == 0


def test_an_old_page_is_noticed_and_made_anew(tool, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(tool, 'MODEL_FILES', tool.MODEL_FILES[:1])
    page = tmp_path / 'zoo.md'
    assert tool.main(['--check', '--out', str(page)]) == 1
    assert 'tools/list_zoo.py' in capsys.readouterr().err
    assert tool.main(['--out', str(page)]) == 0
    assert tool.main(['--check', '--out', str(page)]) == 0
    page.write_text(page.read_text().replace('812,836', '812,837'))
    assert tool.main(['--check', '--out', str(page)]) == 1


def test_experiments_are_found_through_those_that_they_inherit(tool, tmp_path, monkeypatch):
    for name, base in {
        '_base_/models/small.py': None,
        '_base_/models/large.py': 'small.py',
        '_base_/data.py': None,
        'simple/large.py': ['../_base_/models/large.py', '../_base_/data.py'],
        'mixup/large.py': '../simple/large.py',
        'mixup/larger.py': './large.py',
        'mixup/mentions.py': '../_base_/data.py',
    }.items():
        path = tmp_path / 'configs' / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"# not '../_base_/models/small.py'\n_base_ = {base!r}\n" if base else '')
    monkeypatch.setattr(tool, 'ROOT', tmp_path)
    models = tmp_path / 'configs/_base_/models'
    assert tool.used_by(models / 'large.py') == 'mixup (2), simple/large'
    assert tool.used_by(models / 'small.py') == '-'


def test_the_demo_uses_its_network_in_every_method(tool):
    found = tool.used_by(tool.ROOT / 'configs/_base_/models/wrn16_fashionmnist.py')
    for method in ('cutmix', 'mixup', 'simple', 'supermix', 'transformmix'):
        assert re.search(rf'\b{method}(/wrn16_fashionmnist_mini| \(\d+\))', found)


TABLES = {'TransformMix': 10, 'SuperMix': 5}  # how many there are
LIST = r'(\d+)(?:, (\d+))*'
USE = re.compile(rf'(\w+) (?:Table \d+|Tables {LIST})?(?:(?:, |(?<= ))Figure \d+)?')


def test_tables_are_named_in_one_form(tool):
    used = {path.stem: tool.in_papers(path) for path in tool.MODEL_FILES + tool.DATASET_FILES}
    for stem, text in used.items():
        for use in filter(None, text.split('; ')):
            found = USE.fullmatch(use)
            assert found, (stem, use)
            tables = [int(number) for number in re.findall(r'\d+', use.split('Figure')[0])]
            assert tables == sorted(set(tables))
            assert all(1 <= number <= TABLES[found[1]] for number in tables)
            assert ('Tables' in use) == (len(tables) > 1)
    assert used['vgg16_imagenet'] == 'SuperMix Table 4'
    assert used['cars_transfer'] == 'TransformMix Table 3'
    # every table with a network of its own is named by one
    networks = ' '.join(used[path.stem] for path in tool.MODEL_FILES)
    numbers = {
        paper: {
            int(number)
            for group in re.findall(rf'{paper} Tables? ([\d, ]+)', networks)
            for number in re.findall(r'\d+', group)
        }
        for paper in TABLES
    }
    assert numbers == {'TransformMix': {2, 3, 4, 6, 7, 8, 9, 10}, 'SuperMix': {1, 2, 3, 4, 5}}


def test_a_file_without_tables_has_none(tool, tmp_path):
    path = tmp_path / 'x.py'
    path.write_text('# WRN, as in SuperMix Table 1\nmodel = dict()\n')
    assert tool.in_papers(path) == ''


def test_both_divisions_of_flowers_are_listed(tool):
    (row,) = [row for row in tool.dataset_rows() if row[0] == 'Oxford Flowers-102']
    assert row[1] == '2,040 + 6,149<br>7,371 + 818 (`flowers102_818_transfer`)'


@pytest.mark.parametrize(
    ('name', 'size'),
    [
        ('resnet50_imagenet', 224),
        ('resnet50_cifar100', 32),
        ('preactresnet18_tinyimagenet', 64),
        ('wrn16_fashionmnist', 28),
    ],
)
def test_networks_are_counted_at_the_size_of_their_images(tool, name, size):
    assert tool.input_size(name) == size
