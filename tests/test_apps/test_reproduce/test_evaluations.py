"""Figures of evaluations beside those of logs: what counts, what makes them, what is refused."""

import json
import re

import pytest

from mmtmix.apps.evaluate.names import DEFAULTS, NAMES, arguments
from mmtmix.apps.evaluate.results import stored_settings
from mmtmix.apps.evaluate.suites import SUITES
from mmtmix.apps.reproduce import collect_results, read_experiments, render, runs_of
from mmtmix.apps.reproduce.evaluations import FILE, evaluate_runs, evaluation_command
from mmtmix.cli import main
from mmtmix.utils import file_digest

pytestmark = pytest.mark.host

METRICS = ('accuracy/top1', 'calibration/ece', 'fgsm/error_8')


def leave_evaluation(run, ece=4.5, **given):
    """Write the file that the command writes for a finished run."""
    args = arguments(**given)
    figures = dict(calibration=dict(ece=ece, nll=1.0), fgsm=dict(error_8=80.0))
    suites = {
        name: dict(settings=stored_settings(SUITES[name].settings(args)), figures=found)
        for name, found in figures.items()
    }
    digest = file_digest(run.folder / 'last.pth', 64)
    shared = {name: getattr(args, name) for name in ('num_images', 'seed', 'dtype')}
    content = dict(format=1, checkpoint_sha256=digest, suites=suites, **shared)
    (run.folder / FILE).write_text(json.dumps(content))


def test_names_and_defaults_are_those_of_the_command():
    assert tuple(SUITES) == NAMES
    parsed = vars(main.parse('evaluate', ['a.py', 'b.pth', '--suite', 'cam']))
    assert {name: parsed[name] for name in DEFAULTS} == DEFAULTS


def test_figures_of_logs_and_evaluations_stand_side_by_side(cell, finish, tmp_path):
    one = cell(metrics=METRICS)
    for seed, ece in enumerate((4.0, 5.0)):
        leave_evaluation(finish(one, seed, [80.0, 81.0]), ece)
    result = collect_results(one, str(tmp_path))
    assert result.left_out == {}
    assert result.runs[0].metrics == {
        'accuracy/top1': 81.0,
        'calibration/ece': 4.0,
        'fgsm/error_8': 80.0,
    }
    assert '4.50 ± 0.71' in render([result])


@pytest.mark.parametrize(
    ('settings', 'given', 'reason'),
    [
        (dict(), None, f'{FILE} does not exist; .*mmtmix evaluate .*--suite calibration fgsm'),
        (dict(), dict(num_images=100), 'of another num_images'),
        (dict(evaluate=dict(num_images=100)), dict(), 'of another num_images'),
        (dict(), dict(eps=[8]), 'has other settings of fgsm'),
        (dict(metrics=(*METRICS, 'fgsm/error_16')), dict(), 'lacks fgsm/error_16; it has'),
        (dict(metrics=(*METRICS, 'cam/box_iou')), dict(), 'lacks cam; to measure it: '),
    ],
)
def test_an_evaluation_that_is_not_the_wanted_one_leaves_the_run_out(
    cell, finish, tmp_path, settings, given, reason
):
    one = cell(**{'metrics': METRICS, **settings})
    run = finish(one, 0, [80.0])
    if given is not None:
        leave_evaluation(run, **given)
    result = collect_results(one, str(tmp_path))
    assert not result.runs
    assert re.search(reason, result.left_out[0]), result.left_out[0]


def test_an_evaluation_of_other_weights_does_not_count(cell, finish, tmp_path):
    one = cell(metrics=METRICS)
    run = finish(one, 0, [80.0])
    leave_evaluation(run)
    (run.folder / 'last.pth').write_bytes(b'others')
    assert 'of another checkpoint_sha256' in collect_results(one, str(tmp_path)).left_out[0]


def test_the_step_after_training_makes_what_is_missing_once(cell, finish, tmp_path):
    one = cell(metrics=METRICS, evaluate=dict(num_images=100, eps=[2, 8]))
    done, there = finish(one, 0, [80.0]), finish(one, 1, [80.0])
    leave_evaluation(there, num_images=100, eps=[2, 8])
    (unfinished,) = runs_of(one, (2,), str(tmp_path))
    tools = tmp_path / 'tools'
    tools.mkdir()
    (tools / 'evaluate.py').write_text(
        'import json, sys; json.dump(sys.argv, open(sys.argv[0] + ".json", "w"))'
    )
    lines = []
    pairs = [(run, one) for run in (done, there, unfinished)]
    assert not evaluate_runs(pairs, tools, lines.append)
    assert [line.split(':')[0] for line in lines] == [
        f'[evaluation 1/2] {done.folder}',
        f'[evaluation 2/2] {unfinished.folder}',
    ]
    assert 'the run is not run' in lines[1]
    words = json.loads((tools / 'evaluate.py.json').read_text())
    assert words == evaluation_command(done, one, tools)[1:]
    parsed = main.parse('evaluate', words[1:])
    assert (parsed.num_images, parsed.eps, parsed.suite) == (100, [2, 8], ['calibration', 'fgsm'])
    assert parsed.out == str(done.folder / FILE)
    lines.clear()
    assert evaluate_runs([(done, one)], tools, lines.append, is_dry=True)
    assert 'after the training' in lines[0]


def test_rows_of_a_file(tmp_path):
    def read(**row):
        cells = dict(one=dict(config='configs/simple/wrn16_fashionmnist_mini.py'))
        path = tmp_path / 'rows.json'  # YAML reads JSON
        path.write_text(json.dumps({'a/1/row': {'cells': cells, **row}}))
        return read_experiments(path)['a/1/row/one']

    one = read(metrics=list(METRICS), evaluate=dict(num_images=100))
    assert one.metrics == (
        'accuracy/top1',
        'calibration/ece (num_images=100)',
        'fgsm/error_8 (num_images=100)',
    )
    assert read(metrics=['calibration/ece']).metrics == ('calibration/ece',)
    with pytest.raises(ValueError, match='evaluate of a/1/row .* some of .*num_images'):
        read(metrics=['calibration/ece'], evaluate=dict(images=3))
    with pytest.raises(ValueError, match='needs metrics of an evaluation'):
        read(metrics=['mix/ce'], evaluate=dict(num_images=3))
    with pytest.raises(ValueError, match='checkpoint of .* must be last'):
        read(metrics=['calibration/ece'], checkpoint='median')


def test_settings_of_a_row_are_in_the_names_of_its_records(cell, finish, tmp_path):
    name = 'calibration/ece (num_images=100)'
    one = cell(metrics=(name,), evaluate=dict(num_images=100))
    leave_evaluation(finish(one, 0, [80.0]), num_images=100)
    (run,) = collect_results(one, str(tmp_path)).runs
    assert run.metrics == {name: 4.5}
