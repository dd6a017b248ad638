"""Figures survive their file, and tables show what there is."""

import pytest

from mmtmix.apps.benchmark import Report
from mmtmix.apps.benchmark.tables import goals_table, section_table, sweep_table
from mmtmix.apps.benchmark.verdicts import judge_all

pytestmark = pytest.mark.host


def test_a_report_is_read_as_it_was_written(report, tmp_path):
    path = tmp_path / 'costs.json'
    report.save(path)
    assert Report.load(path) == report


@pytest.mark.parametrize('text', ['', '[]', '{"rows": {}}', '{"machine": {}, "sections": 1}'])
def test_another_file_is_refused_by_name(tmp_path, text):
    path = tmp_path / 'other.json'
    path.write_text(text)
    with pytest.raises(ValueError, match=r"other.json' is no file of `mmtmix benchmark --json`"):
        Report.load(path)
    with pytest.raises(FileNotFoundError, match='measures and writes it'):
        Report.load(tmp_path / 'absent.json')


def test_a_table_has_the_columns_that_have_figures(report):
    assert section_table(report.sections['learned']).splitlines() == [
        '|  | time | spread (%) | x teacher forward | peak (MiB) | figure |',
        '| --- | --- | --- | --- | --- | --- |',
        '| teacher forward | 100.0 ms | 10 | 1.00 | 100 | - |',
        '| TransformMix | 250.0 ms | 8 | 2.50 | 120 | - |',
        '| mean of nothing | - | - | - | - | 1,234 |',
        '',
        'Not measured: PuzzleMix. Reason: PyMaxflow is not installed.',
    ]
    solved = section_table(report.sections['supermix'])
    assert '| SuperMix | 1.20 s | 8 | 12.0 | 107 | 5.25 | 87.5 |' in solved


def test_a_sweep_is_in_forward_passes_at_the_same_value(report):
    assert sweep_table(report.sections['sweep_k']).splitlines()[2:] == [
        '| 2 | 0.20 |',
        '| 3 | 0.30 |',
    ]


def test_the_table_of_goals_has_figure_bound_and_verdict(report):
    lines = goals_table(judge_all(report)).splitlines()
    assert '| TransformMix, WRN-16-1 | 2.30 | 2.5 f | <= 1.3 f | missed |' in lines
    assert '| SuperMix, k = 2, finished | 86.7 | 87.5 % | >= 86 % | met |' in lines
    assert any(line.endswith('| not measured here: topic blind was not run |') for line in lines)
