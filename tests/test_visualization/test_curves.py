"""mmtmix.visualization.scalars and curves."""

import json
import math

import pytest

from mmtmix.visualization import plot_curves, read_scalars


def train(step, loss, length=None, **more):
    record = dict(lr=0.1, loss=loss, iter=step, step=step, **more)
    return record if length is None else {**record, 'epoch': math.ceil(step / length)}


def val(step, accuracy, key='accuracy/top1'):
    return {key: accuracy, 'time': 0.1, 'step': step}


def write(work_dir, timestamp, records, tail=''):
    folder = work_dir / timestamp / 'vis_data'
    folder.mkdir(parents=True)
    lines = ''.join(json.dumps(record) + '\n' for record in records)
    (folder / 'scalars.json').write_text(lines + tail)
    return work_dir


def points(records, key):
    return [(record['step'], record[key]) for record in records]


@pytest.fixture
def run(tmp_path):
    """An unbroken run of 4 epochs of 40 iterations."""
    records = []
    for epoch in range(1, 5):
        records += [train(40 * epoch - 20, 5.0 - epoch, 40), train(40 * epoch, 4.5 - epoch, 40)]
        records.append(val(epoch, 50.0 + epoch))
    return write(tmp_path / 'run', '20250101_000000', records)


def test_curves_show_what_was_logged(run, tmp_path):
    short = write(tmp_path / 'short', '20250101_000000', [train(30, 1.5, 30), val(1, 10.0)])
    figure = plot_curves({'Simple': run, 'My run': short})
    loss, accuracy = figure.axes
    assert [line.get_label() for line in loss.lines] == ['Simple', 'My run']
    simple, mine = loss.lines
    assert simple.get_xdata().tolist() == [0.5, 1, 1.5, 2, 2.5, 3, 3.5, 4]
    assert simple.get_ydata().tolist() == [4, 3.5, 3, 2.5, 2, 1.5, 1, 0.5]
    assert (mine.get_xdata().tolist(), mine.get_ydata().tolist()) == ([1], [1.5])
    simple, mine = accuracy.lines
    assert simple.get_xdata().tolist() == [1, 2, 3, 4]
    assert simple.get_ydata().tolist() == [51, 52, 53, 54]
    assert simple.get_label() == 'Simple: 54.00' and mine.get_label() == 'My run: 10.00'
    assert loss.get_xlabel() == accuracy.get_xlabel() == 'epoch'
    assert accuracy.get_ylabel() == 'accuracy/top1'


def test_resumed_runs_are_joined_without_duplicates(tmp_path):
    work_dir = tmp_path / 'run'
    first = [train(40, 3, 40), val(1, 10), train(80, 2, 40), val(2, 20), train(100, 1.9, 40)]
    # went on from epoch 1: epoch 2 was run and validated again
    second = [train(80, 2.5, 40), val(2, 25), train(120, 1.5, 40), val(3, 30)]
    third = [train(160, 1, 40), val(4, 40)]
    write(work_dir, '20250102_000000', second, tail='{"loss": 1.2, "it')  # killed while writing
    write(work_dir, '20250101_000000', first)
    write(work_dir, '20250103_000000', [])
    write(work_dir, '20250104_000000', third)
    write(work_dir, '20250105_000000', [val(0, 99)])  # a validation alone
    log = read_scalars(work_dir)
    assert points(log.train, 'loss') == [(40, 3), (80, 2.5), (120, 1.5), (160, 1)]
    assert points(log.val, 'accuracy/top1') == [(1, 10), (2, 25), (3, 30), (4, 40)]


def test_fresh_start_replaces_an_older_run(tmp_path):
    work_dir = write(
        tmp_path / 'run', '1', [train(40, 3, 40), val(1, 10), train(80, 2, 40), val(2, 20)]
    )
    write(work_dir, '2', [train(40, 9, 40), val(1, 5)])
    log = read_scalars(work_dir)
    assert points(log.train, 'loss') == [(40, 9)]
    assert points(log.val, 'accuracy/top1') == [(1, 5)]


def test_iteration_based_runs(tmp_path, run):
    work_dir = write(
        tmp_path / 'iters', '1', [train(100, 3), val(100, 10), train(200, 2), val(200, 20)]
    )
    write(work_dir, '2', [train(200, 2.5), val(200, 25)])
    loss, accuracy = plot_curves({'iters': work_dir, 'epochs': run}).axes
    assert loss.get_xlabel() == accuracy.get_xlabel() == 'iteration'
    assert loss.lines[0].get_xdata().tolist() == [100, 200]
    assert accuracy.lines[0].get_ydata().tolist() == [10, 25]
    assert loss.lines[1].get_xdata()[-1] == 160
    assert accuracy.lines[1].get_xdata().tolist() == [40, 80, 120, 160]


def test_other_scalars_of_a_run(tmp_path):
    key = 'mix/transformmix/ce'
    work_dir = write(tmp_path / 'run', '1', [train(10, 1, 10, grad_norm=7), val(1, 1.5, key)])
    loss, metric = plot_curves({'search': work_dir}, metric=key, loss='grad_norm').axes
    assert loss.lines[0].get_ydata().tolist() == [7]
    assert metric.lines[0].get_ydata().tolist() == [1.5]


def test_epoch_length_where_the_last_iterations_are_not_logged(tmp_path):
    records = [train(391 * e + i, 1, 391) for e in range(100) for i in (100, 200, 300)]
    assert read_scalars(write(tmp_path / 'run', '1', records)).epoch_length == 391


def test_errors_say_what_there_is(tmp_path, run):
    with pytest.raises(ValueError, match='runs is empty'):
        plot_curves({})
    with pytest.raises(FileNotFoundError, match='nowhere.*LocalVisBackend'):
        plot_curves({'a': tmp_path / 'nowhere'})
    with pytest.raises(ValueError, match=r"'Simple' logged no 'top5'.*'accuracy/top1'"):
        plot_curves({'Simple': run}, metric='top5')
    unvalidated = write(tmp_path / 'new', '1', [train(10, 1, 10)])
    with pytest.raises(ValueError, match='has had no validation yet'):
        plot_curves({'new': unvalidated})
    damaged = write(tmp_path / 'bad', '1', [], tail='{"lo\n{"loss": 1}\n')
    with pytest.raises(ValueError, match='scalars.json is damaged in line 1'):
        read_scalars(damaged)
