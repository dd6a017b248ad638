"""Folders' READMEs and metafiles say what experiments.yaml and the configs say."""

import re
from pathlib import Path

import pytest
import yaml

from mmtmix.utils import load_config
from tests.test_experiments.reading import EXPERIMENTS, ROOT, VARIANTS

CONFIGS = ROOT / 'configs'
INDEX = yaml.safe_load((ROOT / 'model-index.yml').read_text())
METHODS = sorted(
    folder.name
    for folder in CONFIGS.iterdir()
    # the bed of docs/evidence.md is no method
    if folder.is_dir() and folder.name not in ('_base_', 'glyphs') and any(folder.glob('*.py'))
)
DATASETS = dict(
    CIFAR10='CIFAR-10',
    CIFAR100='CIFAR-100',
    TinyImageNet='Tiny-ImageNet',
    ImageNet='ImageNet-1k',
    Flowers102='Oxford Flowers-102',
)
COLLECTION_KEYS = {'Name', 'Metadata', 'Paper', 'README'}
MODEL_KEYS = {'Name', 'In Collection', 'Config', 'Metadata'}

CELLS = [
    (f'{row}/{column}', dict(checkpoint=content.get('checkpoint', 'last'), **cell))
    for row, content in EXPERIMENTS.items()
    for column, cell in content['cells'].items()
]
RUNNABLE = {name: cell for name, cell in CELLS if 'config' in cell}
PAIRS = {cell['variants']['PAIR'] for _, cell in CELLS if 'PAIR' in cell.get('variants', {})}
TABLE_ROW = re.compile(r'^\| \[(\S+)\]\((\S+)\) \| (.+) \| `(\S+)` \| (.+) \| (\w+) \|$')


def figures(cell):
    """The printed figures of a cell, as a list; empty for a curve."""
    printed = cell['printed']
    if printed is None:
        return []
    return printed if isinstance(printed, list) else [printed]


def folder_of(cell):
    return cell['config'].split('/')[1]


def metafile(method):
    return yaml.safe_load((CONFIGS / method / 'metafile.yml').read_text())


def printed_only(models):
    """The models whose figures were not measured here."""
    return [model for model in models if 'Results' not in model]


def table_of(method):
    """The rows of a README's table of cells."""
    lines = (CONFIGS / method / 'README.md').read_text().splitlines()
    rows = [line for line in lines if line.startswith('| [')]
    assert all(TABLE_ROW.match(line) for line in rows), rows
    return [TABLE_ROW.match(line).groups() for line in rows]


def links_of(path):
    """Local targets of a page's links and pictures."""
    targets = re.findall(r'\]\(([^)\s]+)\)', path.read_text())
    return [target.partition('#')[0] for target in targets if '://' not in target]


# ---- READMEs


@pytest.mark.parametrize('method', METHODS)
def test_each_folder_has_a_readme_whose_links_lead_somewhere(method):
    readme = CONFIGS / method / 'README.md'
    text = readme.read_text()
    assert text.startswith('# ')
    assert re.search(r'^> \[.+\]\(https://', text, flags=re.MULTILINE)
    for target in links_of(readme):
        assert (readme.parent / target).exists(), target


@pytest.mark.parametrize('method', [method for method in METHODS if method != 'distill'])
def test_a_table_has_each_cell_of_its_folder_once_as_it_is_printed(method):
    wanted = {name: cell for name, cell in RUNNABLE.items() if folder_of(cell) == method}
    rows = table_of(method)
    assert sorted(name for _, _, _, name, _, _ in rows) == sorted(wanted)
    for title, target, setting, name, printed, counts in rows:
        cell = wanted[name]
        assert f'configs/{method}/{title}.py' == f'configs/{method}/{target}' == cell['config']
        assert counts == cell['checkpoint']
        chosen = {key: str(value) for key, value in cell.get('variants', {}).items()}
        assert dict(re.findall(r'`(\w+)=(\S+)`', setting)) == chosen, name
        assert ('overrides' in setting) == ('options' in cell), name
        if figures(cell):
            assert [float(part) for part in printed.split(' / ')] == figures(cell), name
        else:
            assert printed == 'a curve', name


def test_figures_are_said_to_be_printed_ones():
    for method in METHODS:
        text = (CONFIGS / method / 'README.md').read_text()
        if method != 'distill' and table_of(method):
            assert '| Printed in the paper |' in text
            assert 'Nothing in this table was measured here' in ' '.join(text.split())


def test_figures_of_the_distillation_are_the_printed_ones():
    text = (CONFIGS / 'distill' / 'README.md').read_text()
    lines = [line.strip('| ').split(' | ') for line in text.splitlines() if line[:1] == '|']
    head = next(line for line in lines if line[0] == '`PAIR`')
    pairs = [line for line in lines if len(line) == len(head) and line[0].strip('`') in PAIRS]
    found = {}
    for pair, number, teacher, *values in pairs:
        table = f'supermix/{number}'
        found[table, pair.strip('`'), 'teacher'] = numbers(teacher)
        for method, value in zip(head[3:], values, strict=True):
            if value != '-':
                found[table, pair.strip('`'), method.strip('`')] = numbers(value)
    wanted = {}
    for name, cell in RUNNABLE.items():
        paper, table, _, column = name.split('/')
        if paper == 'supermix' and table in {'2', '3', '5'}:
            pair = cell['variants']['PAIR'] if 'variants' in cell else pair_of_teacher(name)
            method = column if column == 'teacher' else Path(cell['config']).stem
            wanted[f'{paper}/{table}', pair, method] = figures(cell)
    # that of the pair which differs in its mixed images is the same teacher
    found.pop(('supermix/5', 'resnet34_resnet18_k3', 'teacher'))
    assert found == wanted


def numbers(text):
    return [float(part) for part in text.split(' / ')]


def pair_of_teacher(name):
    """The pair that the other cells of a teacher's row have."""
    row = name.rpartition('/')[0]
    return RUNNABLE[f'{row}/student']['variants']['PAIR']


# ---- metafiles


def test_the_index_imports_each_folder():
    assert sorted(INDEX['Import']) == [f'configs/{method}/metafile.yml' for method in METHODS]


@pytest.mark.parametrize('method', METHODS)
def test_a_metafile_has_what_the_checker_asks_for(method):
    content = metafile(method)
    assert set(content) <= {'Collections', 'Models'}
    (collection,) = content['Collections']
    assert set(collection) == COLLECTION_KEYS
    assert set(collection['Paper']) == {'Title', 'URL'}
    assert collection['Paper']['URL'] in (CONFIGS / method / 'README.md').read_text()
    # the checker looks for it beside the metafile
    assert (CONFIGS / method / collection['README']).is_file()
    for model in content.get('Models', []):
        assert set(model) - {'Weights', 'Results'} == MODEL_KEYS
        assert model['In Collection'] == collection['Name']
        assert (ROOT / model['Config']).is_file()


def test_names_are_unique():
    contents = [metafile(method) for method in METHODS]
    for kind in ('Collections', 'Models'):
        names = [entry['Name'].lower() for content in contents for entry in content.get(kind, [])]
        assert len(names) == len(set(names))


@pytest.mark.parametrize('method', METHODS)
def test_models_are_the_configs_of_printed_figures(method):
    wanted = {
        cell['config'] for cell in RUNNABLE.values() if folder_of(cell) == method and figures(cell)
    }
    models = metafile(method).get('Models', [])
    assert {model['Config'] for model in printed_only(models)} == wanted
    for model in models:
        assert model['Name'] == f'{method}_{Path(model["Config"]).stem}'


@pytest.mark.parametrize('method', METHODS)
def test_metadata_are_those_of_the_configs(method):
    for model in printed_only(metafile(method).get('Models', [])):
        cfg = load_config(str(ROOT / model['Config']))
        metadata = model['Metadata']
        assert set(metadata) == {'Training Data', 'Epochs', 'Batch Size'}
        epochs = cfg.train_cfg.max_epochs
        if cfg.get('load_from'):  # goes on from another phase of its recipe
            epochs += load_config(str(ROOT / cfg.requires[0].config)).train_cfg.max_epochs
        assert metadata['Epochs'] == epochs, model['Name']
        batch = cfg.train_dataloader.batch_size
        assert metadata['Batch Size'] == batch == cfg.auto_scale_lr.base_batch_size, model['Name']
        data = metadata['Training Data']
        data = data if isinstance(data, list) else [data]
        clean = cfg.train_dataloader.dataset
        while 'datasets' in clean:
            clean = clean['datasets'][0]
        assert data[0] == DATASETS[clean['type']], model['Name']
        assert ('ImageNet32' in data) == ('imgnet32' in model['Name'])


def test_the_checker_has_no_complaint():
    """That of the package model-index, if it is here."""
    modelindex = pytest.importorskip('modelindex')
    index = modelindex.load(str(ROOT / 'model-index.yml'))
    assert not index.check(silent=True)
    index.build_models_with_collections()
    assert len(index.models) == sum(len(metafile(m).get('Models', [])) for m in METHODS)
    assert all(model.full_model.paper for model in index.models)


# ---- docs/reproduce.md


def test_the_page_about_tables_leads_somewhere():
    page = ROOT / 'docs' / 'reproduce.md'
    for target in links_of(page):
        assert (page.parent / target).exists(), target


def test_the_page_lists_what_is_only_quoted():
    text = (ROOT / 'docs' / 'reproduce.md').read_text()
    rows = re.findall(r'^\| `(\S+)` \| (\d+) \| (.+) \|$', text, flags=re.MULTILINE)
    listed = {name: (int(number), reason) for name, number, reason in rows}
    assert listed
    quoted = [name for name, cell in CELLS if 'quoted' in cell]
    for group, (number, _) in listed.items():
        pattern = re.compile(group.replace('*', '[^/]+') + '(/|$)')
        matching = [name for name in quoted if pattern.match(name)]
        assert len(matching) == number, group
        quoted = [name for name in quoted if name not in matching]
    assert not quoted


def test_the_page_names_each_variant_with_its_values():
    text = (ROOT / 'docs' / 'reproduce.md').read_text()
    rows = re.findall(r'^\| `([A-Z_]+)` \| (.+?) \|', text, flags=re.MULTILINE)
    listed = dict(rows)
    assert set(listed) == set(VARIANTS)
    for _, cell in CELLS:
        for name, value in cell.get('variants', {}).items():
            if name != 'PAIR':  # those are in configs/distill/pairs
                assert re.search(rf'(?<![\w.]){re.escape(str(value))}(?![\w.])', listed[name])
