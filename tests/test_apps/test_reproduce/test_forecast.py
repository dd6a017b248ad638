"""The forecast of a grid, and the page that shows it."""

import json
from pathlib import Path

import pytest

from mmtmix.apps.reproduce import choose_cells, critical_path, job_graph, read_experiments, runs_of
from mmtmix.apps.reproduce.costs import job_seconds, read_costs
from mmtmix.apps.reproduce.forecast import forecast, large_sets
from mmtmix.apps.reproduce.forecast_page import TABLES, fill_scale_page, forecast_text
from mmtmix.apps.reproduce.plan_command import recorded_seconds
from mmtmix.cli.main import main

pytestmark = pytest.mark.host

COSTS = 'configs/costs.yaml'
RECORD, PAGE = Path('results/scale/plan.json'), Path('docs/scale.md')
ROW = 'transformmix/4/resnet18_cifar10'


@pytest.fixture(scope='module')
def record():
    return json.loads(RECORD.read_text(encoding='utf-8'))


@pytest.fixture(scope='module')
def row():
    """Graph of a row with two seeds, and the table of each run."""
    cells = choose_cells(read_experiments('configs/experiments.yaml'), [ROW])
    runs = [run for cell in cells for run in runs_of(cell, 2, 'root')]
    return job_graph(runs), {str(run.folder): 'transformmix/4' for run in runs}


def test_hours_add_up_and_seeds_cost_the_same(row):
    graph, tables = row
    costs = read_costs(COSTS, 'h200')
    plan = forecast(graph, costs, [1, 3], tables)
    parts = job_seconds(graph.values(), costs)
    seconds = {key: sum(found.values()) for key, found in parts.items()}
    total = sum(seconds.values()) / 3600
    assert (plan['runs'], plan['experiments']) == (12, 6)
    for name in ('tables', 'methods', 'parts'):
        assert sum(plan[name].values()) == pytest.approx(total)
    assert plan['hours'] == pytest.approx(total)
    assert set(plan['tables']) == {'transformmix/4', 'required stages'}
    assert [key for key, _ in plan['path']] == critical_path(graph.requires(), seconds)
    assert sum(hours for _, hours in plan['path']) == pytest.approx(plan['longest'])
    assert (
        seconds['root/mixup/resnet18_cifar10/seed0']
        == seconds['root/mixup/resnet18_cifar10/seed1']
    )
    alone, three = plan['courses']
    assert alone['makespan'] == pytest.approx(total)
    assert three['bound'] <= three['makespan'] <= (2 - 1 / 3) * three['bound']


def test_several_gpus_shorten_the_longest_chain_at_a_price(row):
    graph, tables = row
    costs = read_costs(COSTS, 'cpu')  # on which several share the work well
    one = forecast(graph, costs, [8], tables)
    four = forecast(graph, costs, [8], tables, gpus=4)
    assert four['longest'] < 0.4 * one['longest']
    assert one['hours'] < four['hours'] < 1.3 * one['hours']
    same = forecast(graph, costs, [8], tables, gpus=4, wide_hours=1e6)
    assert same['hours'] == one['hours']


def test_measured_seconds_replace_estimates(row):
    graph, tables = row
    costs, key = read_costs(COSTS, 'h200'), 'root/mixup/resnet18_cifar10/seed0'
    before = forecast(graph, costs, [1], tables)['hours']
    (estimate,) = [sum(parts.values()) for parts in job_seconds([graph[key]], costs).values()]
    after = forecast(graph, costs, [1], tables, recorded={key: estimate + 7200})
    assert after['hours'] == pytest.approx(before + 2)
    assert sum(after['tables'].values()) == pytest.approx(after['hours'])
    assert sum(after['parts'].values()) == pytest.approx(after['hours'])


def test_the_paper_on_64_gpus_is_within_a_tenth_of_its_lower_bound(record):
    plan = record['forecast']
    assert (plan['runs'], plan['experiments'], plan['jobs']) == (918, 306, 998)
    courses = {each['workers']: each for each in plan['courses']}
    assert sorted(courses) == [2**number for number in range(9)]
    for workers, each in courses.items():
        bound = max(plan['longest'], plan['hours'] / workers)
        assert each['bound'] == pytest.approx(bound, rel=1e-4)
        assert 1 - 1e-5 <= each['ratio'] <= 1.1
        assert each['makespan'] == pytest.approx(each['ratio'] * bound, rel=1e-4)
    for name in ('tables', 'methods', 'parts'):
        assert sum(plan[name].values()) == pytest.approx(plan['hours'], rel=1e-4)
    for case in record['what_if']:
        assert case['ratio'] <= 1.1, case


def test_the_record_is_made_with_the_present_costs(record):
    costs = read_costs(COSTS, record['forecast']['device'])
    for name, figure in costs.figures.items():
        assert record['figures'][name] == [pytest.approx(figure.value, rel=1e-5), *figure[1:]]
    assert record['loaders'] == pytest.approx(dict(costs.loaders), rel=1e-5)


def test_page_and_record_agree(record):
    text = PAGE.read_text(encoding='utf-8')
    assert fill_scale_page(text, record) == text, 'mmtmix reproduce plan --out ... --page ...'
    shown = {line.split()[2] for line in text.splitlines() if line.startswith('<!-- scale: ')}
    assert shown == set(TABLES)
    assert '918 runs of 306 experiments and 80 required stages' in forecast_text(record)


def test_a_large_set_is_as_fast_as_its_slowest_part(record):
    for each in record['sets']:
        times = {name: each[name] for name in ('reading', 'mixing', 'encoding', 'writing')}
        assert each['slowest'] == max(times, key=times.get)
        assert max(times.values()) <= each['hours'] <= 1.03 * max(times.values())
        assert each['rounds'] == -(-each['shards'] // each['gpus'])
    sizes = {each['gpus']: each for each in record['sets'][:3]}
    assert sorted(sizes) == [1, 8, 64]
    assert sizes[1]['mixing'] == pytest.approx(8 * sizes[8]['mixing'], rel=0.1)
    assert sizes[1]['writing'] == sizes[64]['writing']


def test_smaller_sets_are_left_out(row):
    assert large_sets(row[0], read_costs(COSTS, 'h200')) == []


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('<!-- scale: total -->\n', 'is not closed'),
        ('<!-- scale: costs -->\n<!-- end -->', "not 'costs'"),
    ],
)
def test_faulty_blocks_are_refused(record, text, message):
    with pytest.raises(ValueError, match=message):
        fill_scale_page(text, record)


def test_the_command_writes_record_and_page(tmp_path, capsys):
    page = tmp_path / 'page.md'
    page.write_text('Before\n<!-- scale: courses -->\n<!-- end -->\nAfter\n', encoding='utf-8')
    out = tmp_path / 'plan.json'
    words = ['reproduce', 'plan', f'{ROW}/simple', '--workers', '1', '2', '--seeds', '2']
    assert main([*words, '--out', str(out), '--page', str(page)]) == 0
    assert '2 runs of 1 experiments and 0 required stages' in capsys.readouterr().out
    content = json.loads(out.read_text(encoding='utf-8'))
    assert content['forecast']['courses'][1]['ratio'] == 1
    assert page.read_text(encoding='utf-8').splitlines()[2].startswith('| GPUs | lower bound')
    for faulty, message in (
        (['--workers', '0'], '--workers must be'),
        (['--device', 'tpu'], 'device must be'),
        (['--workers', '1', '--gpus', '2'], '--workers must be'),
        (['--page', str(tmp_path / 'none.md')], 'does not exist'),
    ):
        assert main(['reproduce', 'plan', ROW, *faulty]) != 0
        assert message in capsys.readouterr().err


def test_finished_runs_give_the_seconds_of_their_experiment(cell, finish, tmp_path):
    one = cell()
    path = finish(one, 0, [70.0]).folder / 'run.json'
    runs = runs_of(one, 2, str(tmp_path))
    other = runs_of(cell(config='configs/mixup/wrn16_fashionmnist_mini.py'), 1, str(tmp_path))
    graph = job_graph([*runs, *other])
    costs = {name: read_costs(COSTS, name) for name in ('h200', 'h200_bf16', 'cpu')}
    record = json.loads(path.read_text())
    h200 = dict(device='NVIDIA H200', precision='bfloat16')
    for fields, device in (
        (dict(device='cpu', precision='float32'), 'cpu'),
        (dict(device='cpu', precision='bfloat16'), None),
        (dict(device='cpu'), None),  # older than the precision in records
        (h200, 'h200_bf16'),
        (h200 | dict(earlier=[dict(h200)]), 'h200_bf16'),
        (h200 | dict(earlier=[dict(h200, device='cpu')]), None),
    ):
        path.write_text(json.dumps(record | fields))
        for name, each in costs.items():  # the second seed has not run
            expected = {str(run.folder): 7.0 for run in runs} if name == device else {}
            assert recorded_seconds(graph, each) == expected, (fields, name)


def test_runs_of_several_processes_count_for_long_jobs_alone(cell, finish, row, tmp_path):
    one = cell()
    path = finish(one, 0, [70.0]).folder / 'run.json'
    fields = dict(device='4 x cpu', precision='float32', processes=4)
    path.write_text(json.dumps(json.loads(path.read_text()) | fields))
    costs = read_costs(COSTS, 'cpu')
    for gpus, expected in ((1, []), (4, [7.0]), (2, [])):
        graph = job_graph(runs_of(one, 1, str(tmp_path), gpus))
        assert list(recorded_seconds(graph, costs, gpus).values()) == expected
    graph, tables = row
    seconds = dict.fromkeys(tables, 36000.0)
    for wide_hours in (0.0, 1e6):  # all jobs use four GPUs, and none does
        plan = forecast(graph, costs, [8], tables, 4, wide_hours, seconds)
        recorded = plan['parts'].get('recorded runs')
        assert recorded == (pytest.approx(12 * 10 * 4) if wide_hours == 0.0 else None)


def test_a_device_like_another_one_has_a_name_of_its_own(tmp_path, capsys):
    path = tmp_path / 'mine.yaml'
    path.write_text('devices: {a100: {like: h200_bf16}}')
    costs = read_costs(COSTS, 'a100', path)
    assert (costs.name, costs.precision, costs.about) == (None, 'float32', 'a100')
    words = ['reproduce', 'plan', ROW, '--recorded', '--costs', str(path), '--device', 'a100']
    assert main(words) != 0
    assert '--recorded needs the name of a100 in the records of runs' in capsys.readouterr().err
    path.write_text('devices: {a100: {like: h200, name: NVIDIA A100, precision: tf32}}')
    with pytest.raises(ValueError, match='precision of a100 must be'):
        read_costs(COSTS, 'a100', path)
