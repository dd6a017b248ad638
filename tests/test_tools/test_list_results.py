"""Results and weights in the metafiles are what was recorded and what is shipped."""

import json
import shutil
import statistics
from pathlib import Path

import pytest
import yaml

from mmtmix.apps.reproduce import read_experiments
from mmtmix.utils import shipped_file

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope='module')
def tool(load):
    return load('list_results')


@pytest.fixture(scope='module')
def models():
    contents = [yaml.safe_load(path.read_text()) for path in ROOT.glob('configs/*/metafile.yml')]
    found = [model for content in contents for model in content.get('Models') or ()]
    return {model['Name']: model for model in found if 'Results' in model}


def test_the_metafiles_are_up_to_date(tool):
    assert tool.main(['--check']) == 0


def test_a_changed_figure_and_a_missing_entry_are_noticed_and_made_anew(tool, tmp_path, capsys):
    for name in ('cutmix', 'fmix'):
        (tmp_path / name).mkdir()
        shutil.copy(ROOT / 'configs' / name / 'metafile.yml', tmp_path / name)
    before = (tmp_path / 'cutmix' / 'metafile.yml').read_text()
    (tmp_path / 'cutmix' / 'metafile.yml').write_text(before.replace('86.76', '88.76'))
    fmix = tmp_path / 'fmix' / 'metafile.yml'
    complete = fmix.read_text()
    fmix.write_text(complete.partition('# Measured')[0])
    assert tool.main(['--check', '--configs', str(tmp_path)]) == 1
    said = capsys.readouterr().err
    assert 'cutmix' in said
    assert 'fmix' in said
    assert tool.main(['--configs', str(tmp_path)]) == 0
    assert (tmp_path / 'cutmix' / 'metafile.yml').read_text() == before
    assert fmix.read_text() == complete


def test_a_figure_is_the_mean_of_the_recorded_seeds(models):
    lines = (ROOT / 'results' / 'fashionmnist' / 'runs.jsonl').read_text().splitlines()
    accuracies = [
        run['metrics']['accuracy/top1']
        for run in map(json.loads, lines)
        if run['config'] == 'configs/cutmix/grid_fashionmnist.py'
        and run['variants'] == dict(NUM_IMAGES='1000')
        and run['options'] == ['model.train_cfg.probs=[0.5]']
    ]
    (metrics,) = (
        result['Metrics']
        for result in models['cutmix_grid_fashionmnist']['Results']
        if result['Metrics']['Cell'] == 'final/main/1000/cutmix_half'
    )
    assert metrics['Seeds'] == len(accuracies) == 5
    assert metrics['Top 1 Accuracy'] == round(statistics.fmean(accuracies), 2)
    assert metrics['Standard Deviation'] == round(statistics.stdev(accuracies), 2)


def test_a_result_has_the_settings_of_its_experiment(models):
    cells = read_experiments(ROOT / 'configs' / 'experiments_fashionmnist.yaml')
    for name, model in models.items():
        settings = set()
        for result in model['Results']:
            metrics = model['Metadata'] | result['Metrics']
            assert metrics['Epochs'] > 0
            assert metrics['Batch Size'] > 0
            settings.add((result['Dataset'], metrics.get('Variants'), metrics.get('Options')))
            if 'Cell' in metrics:
                cell = cells[metrics['Cell']]
                given = dict(part.split('=') for part in metrics.get('Variants', '').split())
                assert given == {key: str(value) for key, value in cell.variants.items()}
                options = [
                    f'{key}={value}'.replace(' ', '') for key, value in cell.options.items()
                ]
                assert metrics.get('Options', '').split() == options
        assert len(settings) == len(model['Results']), f'{name} lists a setting twice'


def test_epochs_are_those_of_the_variants(models):
    simple = models['simple_grid_fashionmnist']
    assert 'Epochs' not in simple['Metadata']  # they differ
    assert simple['Metadata']['Training Data'][:2] == ['Fashion-MNIST', "scikit-learn's digits"]
    of_cell = {result['Metrics']['Cell']: result['Metrics'] for result in simple['Results']}
    # 3,120 and 1,560 steps of 78 batches
    assert of_cell['final/main/5000/simple']['Epochs'] == 40
    assert of_cell['final/short/5000/simple']['Epochs'] == 20
    assert 'NET=wrn16_4' in of_cell['gpu/wide/1000/simple']['Variants'].split()


def figures_of(page):
    """Return mean, standard deviation and seeds, as text, by the cell of each row of a page."""
    found, table = {}, ''
    for line in page.splitlines():
        texts = [text.strip() for text in line.strip('|').split('|')]
        if len(texts) > 2 and texts[1:3] == ['top-1 (last)', 'seeds']:
            table = texts[0]
        elif not line.startswith('|'):
            table = ''
        elif table:
            found[f'{table}/{texts[0]}'] = tuple(texts[1:3])
    return found


def test_every_figure_is_in_its_row_of_the_page_that_explains_it(models):
    rows = figures_of((ROOT / 'docs' / 'evidence.md').read_text())
    results = [result for model in models.values() for result in model['Results']]
    cells = [result['Metrics'] for result in results if 'Cell' in result['Metrics']]
    assert len(cells) > 40
    assert len({metrics['Cell'] for metrics in cells}) == len(cells)
    for metrics in cells:
        spread = metrics['Standard Deviation']
        expected = f'{metrics["Top 1 Accuracy"]:.2f} ± {spread:.2f}', str(metrics['Seeds'])
        assert rows[metrics['Cell']] == expected, metrics


def test_a_figure_in_another_row_does_not_count():
    page = (
        '| t/1 | top-1 (last) | seeds |\n| --- | --- | --- |\n| a | 1.00 ± 0.10 | 5 |\n'
        '| b | 2.00 ± 0.20 | 5 |\n\n| a | 3.00 | 5 |\n'
    )
    assert figures_of(page)['t/1/a'] == ('1.00 ± 0.10', '5')
    assert figures_of(page)['t/1/b'] == ('2.00 ± 0.20', '5')


def test_weights_are_shipped_and_have_one_seed(models):
    weights = {name: model['Weights'] for name, model in models.items() if 'Weights' in model}
    assert {'simple_wrn16_fashionmnist32', 'simple_wrn10_fashionmnist_demo'} <= weights.keys()
    for name, path in weights.items():
        assert shipped_file(path).is_file()
        assert [result['Metrics']['Seeds'] for result in models[name]['Results']] == [1]
