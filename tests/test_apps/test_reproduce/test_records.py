"""Runs as lines of a file, and what takes the place of what."""

import json
from dataclasses import replace

import pytest

from mmtmix.apps.reproduce import (
    collect_results,
    merge_records,
    read_records,
    recorded_results,
    runs_of,
    write_records,
)

pytestmark = pytest.mark.host


@pytest.fixture
def path(tmp_path):
    return tmp_path / 'results' / 'runs.jsonl'


def test_a_line_holds_a_run(cell, record, path):
    one = cell(variants={'B': '2', 'A': 'x'}, options={'b': [1, 2], 'a': 0.5})
    write_records([record(one, 4, 81.25)], path)
    assert json.loads(path.read_text()) == dict(
        config=one.config,
        variants=dict(A='x', B='2'),
        options=['a=0.5', 'b=[1, 2]'],
        checkpoint='last',
        seed=4,
        metrics={'accuracy/top1': 81.25},
        digest='digest',
        versions={'torch': '2'},
        device='cpu',
        started='2026-01-01T00:00:00+00:00',
        seconds=7.0,
    )
    assert path.read_text().count('\n') == 1


def test_a_line_may_have_the_field_of_commands_that_were_run_before(cell, record, path):
    write_records([record(cell(), 0, 81.25)], path)
    (line,) = path.read_text().splitlines()
    for commands in ([], ['make']):
        path.write_text(json.dumps(json.loads(line) | dict(before=commands)) + '\n')
        if commands:
            with pytest.raises(ValueError, match=r'damaged in line 1: commands were run before'):
                read_records(path)
        else:
            assert read_records(path) == [record(cell(), 0, 81.25)]


def test_what_is_written_is_read_in_an_order_of_its_own(cell, record, path):
    records = [
        record(each, seed, 80.0)
        for each in (cell(variants={'A': 'y'}), cell(variants={'A': 'x'}), cell(config='a.py'))
        for seed in (10, 2)
    ]
    write_records(records, path)
    found = read_records(path)
    assert sorted(found, key=str) == sorted(records, key=str)
    settings = [(each.config, each.variants, each.seed) for each in found]
    assert settings == sorted(settings)
    before = path.read_bytes()
    write_records(reversed(found), path)
    assert path.read_bytes() == before


def test_finished_runs_are_recorded_and_recalled_as_they_were(cell, finish, tmp_path, path):
    validation = dict(
        config='configs/simple/grid_fashionmnist.py', variants={'SPLIT': 'validation'}
    )
    one = cell(checkpoint='median', **validation)
    for seed in (0, 3):
        finish(one, seed, [80.0, 81.25 + seed])
    result = collect_results(one, str(tmp_path))
    write_records(result.runs, path)
    assert recorded_results(one, read_records(path)) == result
    for other in (cell(checkpoint='last', **validation), cell(checkpoint='median')):
        assert not recorded_results(other, read_records(path)).runs


def test_runs_of_several_processes_are_kept_apart(cell, record, path):
    alone = record(cell(), 0, 80.0)
    write_records([alone, replace(alone, processes=8, metrics={'accuracy/top1': 79.0})], path)
    first, second = (json.loads(line) for line in path.read_text().splitlines())
    assert 'processes' not in first and second['processes'] == 8
    # an older record has the number in its device alone
    old = {name: value for name, value in second.items() if name != 'processes'}
    path.write_text(f'{json.dumps(first)}\n{json.dumps(old | dict(device="8 x NVIDIA H100"))}\n')
    found = read_records(path)
    assert [each.processes for each in found] == [1, 8]
    (run,) = runs_of(cell(), (0,))
    present = [replace(each, digest=run.digest()) for each in found]
    for gpus, top1 in ((1, 80.0), (8, 79.0)):
        (result,) = recorded_results(cell(), present, gpus).runs
        assert result.metrics == {'accuracy/top1': top1}
    assert not recorded_results(cell(), present, 2).runs


def test_precision_is_recorded_where_a_run_noted_it(cell, record, path):
    old, new = record(cell(), 0, 80.0), replace(record(cell(), 1, 80.0), precision='float32')
    write_records([old, new], path)
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert 'precision' not in lines[0]
    assert lines[1]['precision'] == 'float32'
    assert read_records(path) == [old, new]
    assert [each.trained_in for each in read_records(path)] == ['bfloat16', 'float32']


def test_attempts_in_two_precisions_are_recorded_as_such(cell, finish, tmp_path):
    run = finish(cell(), 0, [80.0])
    path = run.folder / 'run.json'
    attempts = [dict(precision='bfloat16', device='H100'), dict(versions={}, device='H100')]
    fields = dict(earlier=attempts, precision='float32', device='A40')
    path.write_text(json.dumps(json.loads(path.read_text()) | fields))
    (found,) = collect_results(cell(), str(tmp_path)).runs
    assert found.trained_in == 'bfloat16, then float32'
    assert found.device == 'H100, then A40'


def test_accuracies_are_those_of_the_log(cell, finish, tmp_path):
    finish(cell(), 0, [86.83999633789062])
    (run,) = collect_results(cell(), str(tmp_path)).runs
    assert run.metrics == {'accuracy/top1': 86.84}


def test_a_record_of_another_config_doesnt_count(cell, record):
    result = recorded_results(cell(), [record(cell(), seed, 80.0) for seed in (1, 0)])
    assert not result.runs
    assert result.left_out == {0: 'made with another config', 1: 'made with another config'}


def test_a_quoted_cell_has_no_records(cell, record):
    assert not recorded_results(cell(config='', quoted='a time'), [record(cell(), 0, 80.0)]).runs


def test_merging_twice_changes_nothing(cell, record):
    recorded = [record(cell(), 0, 80.0)]
    found = [record(cell(), 0, 80.0), record(cell(), 1, 81.0), record(cell(), 1, 81.0)]
    merged = merge_records(recorded, found)
    assert merged == (found[:2], 1, 0, [])
    assert merge_records(merged.records, found) == (found[:2], 0, 0, [])


def test_a_run_of_another_config_is_replaced_and_others_stay(cell, record):
    old, other = record(cell(), 0, 80.0), record(cell(variants={'A': 'x'}), 0, 70.0)
    new = replace(old, digest='present', metrics={'accuracy/top1': 79.0})
    assert merge_records([old, other], [new]) == ([new, other], 0, 1, [])


def test_a_second_try_doesnt_replace_the_first(cell, record):
    first, second = record(cell(), 0, 80.0), record(cell(), 0, 82.0)
    assert merge_records([first], [second]) == ([first], 0, 0, [second])


def test_metrics_that_another_row_asks_of_a_run_are_added(cell, record):
    first = record(cell(), 0, 80.0)
    other = replace(first, metrics={'mix/ce': 2.0})
    both = replace(first, metrics={'accuracy/top1': 80.0, 'mix/ce': 2.0})
    assert merge_records([first], [other]) == ([both], 0, 0, [])
    assert merge_records([], [first, other]) == ([both], 1, 0, [])
    another = replace(other, metrics={'accuracy/top1': 81.0, 'mix/ce': 2.0})
    assert merge_records([first], [another, another]) == ([first], 0, 0, [another])


@pytest.mark.parametrize(
    ('change', 'said'),
    [
        (lambda line: line[:-9], 'line 2: '),
        (lambda line: '', 'line 2: '),
        (lambda line: '[]', 'line 2: it must hold config, '),
        (lambda line: line.replace('"seed"', '"sed"'), 'line 2: it must hold config, '),
        (lambda line: line.replace('"cpu"', '3'), 'line 2: device is of the wrong type: 3'),
        (
            lambda line: line.replace('"options": []', '"options": [1]'),
            r'line 2: options must hold texts alone, got \[1\]',
        ),
        (lambda line: line.replace('"last"', '"first"'), 'line 2: checkpoint must be one of'),
        (lambda line: line.replace('81.0', 'NaN'), 'line 2: metrics must be .* in percent'),
        (
            lambda line: line.replace('accuracy/top1": 81.0', 'mix/ce": Infinity'),
            'line 2: metrics must be numbers',
        ),
        (lambda line: line.replace('81.0', '810'), 'line 2: metrics must be .* in percent'),
        (lambda line: line.replace('"accuracy/top1": 81.0', ''), 'line 2: metrics must be'),
    ],
)
def test_a_damaged_line_is_named(cell, record, path, change, said):
    write_records([record(cell(), seed, 80.0 + seed) for seed in range(3)], path)
    lines = path.read_text().splitlines()
    path.write_text('\n'.join([lines[0], change(lines[1]), lines[2]]) + '\n')
    with pytest.raises(ValueError, match=f'runs.jsonl is damaged in {said}'):
        read_records(path)


def test_a_run_is_recorded_once(cell, record, path):
    write_records([record(cell(), 0, 80.0)], path)
    path.write_text(path.read_text() * 2)
    with pytest.raises(ValueError, match='has the run of line 1 in line 2 too'):
        read_records(path)


def test_a_missing_file_is_named(path):
    with pytest.raises(FileNotFoundError, match='runs.jsonl.* does not exist'):
        read_records(path)


def test_a_note_that_lacks_something_is_told(cell, finish, tmp_path):
    run = finish(cell(), 0, [80.0])
    (run.folder / 'run.json').write_text(json.dumps(dict(digest=run.digest(), device='cpu')))
    (why,) = collect_results(cell(), str(tmp_path)).left_out.values()
    assert 'run.json lacks versions, started, seconds; move the folder aside' in why
