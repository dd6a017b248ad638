"""Differences of configs, and what a config inherits."""

import pytest

from mmtmix.apps.report.config_changes import ABSENT, base_config, config_changes, names_of_bases
from mmtmix.apps.report.config_text import read_config_text

pytestmark = pytest.mark.host


def test_changes_have_names_with_dots():
    old = dict(
        optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.1)), model=dict(type='A', x=(1, 2))
    )
    new = dict(
        optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.2)), model=dict(type='A', x=[1, 3])
    )
    found = config_changes([old, new])
    assert [tuple(each) for each in found] == [
        ('model.x.1', ('2', '3')),
        ('optim_wrapper.optimizer.lr', ('0.1', '0.2')),
    ]


def test_another_type_is_one_change_and_lists_of_other_lengths_too():
    old = dict(
        model=dict(head=dict(type='A', x=1)), train_dataloader=dict(pipeline=[dict(type='F')])
    )
    new = dict(model=dict(head=dict(type='B', y=1)), train_dataloader=dict(pipeline=[]))
    assert dict(config_changes([old, new])) == {
        'model.head': ('A(x=1)', 'B(y=1)'),
        'train_dataloader.pipeline': ('[F()]', '[]'),
    }


def test_what_changes_no_result_is_left_out():
    old = dict(default_hooks=dict(logger=dict(type='LoggerHook', interval=1)), work_dir='a')
    new = dict(
        default_hooks=dict(logger=dict(type='LoggerHook', interval=9)),
        work_dir='b',
        train_dataloader=dict(),
        helper=3,
    )
    assert dict(config_changes([old, new])) == {'train_dataloader': (ABSENT, 'dict()')}


def test_a_base_is_merged_as_the_host_does(tmp_path):
    (tmp_path / 'one.py').write_text("model = dict(type='A', depth=1)\n")
    (tmp_path / 'two.py').write_text('randomness = dict(seed=4)\n')
    path = tmp_path / 'own.py'
    path.write_text("_base_ = ['./one.py', 'two.py']\nmodel = dict(depth=2)\n")
    base = base_config(path, {})
    assert base['model'] == dict(type='A', depth=1) and base['randomness'] == dict(seed=4)
    assert names_of_bases(path) == 'one.py, two.py'
    assert base_config(tmp_path / 'one.py', {}) is None


def test_text_of_a_config_is_values_alone(tmp_path):
    path = tmp_path / 'config.py'
    path.write_text(
        'a = dict(b=[1, (2, -3.5)], c={"d": None, 4: True})\ne = f(1)\nimport os\nx.y = 2\n'
    )
    assert read_config_text(path) == dict(
        a=dict(b=[1, (2, -3.5)], c={'d': None, '4': True}), e='f(1)'
    )
    path.write_text('a = (')
    with pytest.raises(ValueError, match='is no config'):
        read_config_text(path)
