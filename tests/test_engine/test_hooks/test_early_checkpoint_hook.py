"""EarlyCheckpointHook: the weights of an epoch stay, beside those of the end."""

import pytest

from mmtmix.engine.digest import run_digest
from mmtmix.engine.stage_runs import run_stages
from mmtmix.engine.stages import plan_stages
from mmtmix.utils import load_checkpoint, load_config

pytestmark = pytest.mark.host

EARLY = dict(type='EarlyCheckpointHook', epochs=[1])


def test_the_weights_of_an_epoch_are_kept(tmp_path, probe_runner):
    runner = probe_runner(EARLY, dict(type='LastCheckpointHook'))
    runner.train()
    early = load_checkpoint(tmp_path / 'run' / 'early_1.pth')
    last = load_checkpoint(tmp_path / 'run' / 'last.pth')
    assert early['meta']['epoch'] == 1 and last['meta']['epoch'] == 2
    assert not {'optimizer', 'param_schedulers'} & early.keys()
    assert early['state_dict'] != last['state_dict']
    assert not list((tmp_path / 'run').glob('.early*'))


TEACHER = """
model = dict(type='ImageClassifier')
train_cfg = dict(max_epochs=2)
{hook}
"""
SEARCH = """
requires = [
    dict(config='teacher.py', produces='work_dirs/teacher/last.pth'),
    dict(config='teacher.py', produces='work_dirs/teacher/early_{epoch}.pth'),
]
model = dict(
    type='MixerSearch',
    teacher=dict(config='teacher.py', checkpoint='work_dirs/teacher/last.pth'),
    hard_for=dict(
        teacher=dict(config='teacher.py', checkpoint='work_dirs/teacher/early_{epoch}.pth')
    ),
)
"""


@pytest.fixture
def planned(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def plan(epoch=1, hook="custom_hooks = [dict(type='EarlyCheckpointHook', epochs=[1])]"):
        (tmp_path / 'teacher.py').write_text(TEACHER.format(hook=hook))
        (tmp_path / 'search.py').write_text(SEARCH.format(epoch=epoch))
        cfg = load_config('search.py')
        cfg.work_dir = 'work_dirs/search'
        return plan_stages('search.py', cfg)

    return plan


def test_one_run_makes_both_files(planned, tmp_path):
    ran = []

    def run(stage):
        ran.append(stage.config)
        if stage.config == 'teacher.py':
            for name in ('last.pth', 'early_1.pth'):
                (tmp_path / 'work_dirs/teacher' / name).write_text('weights')

    run_stages(planned(), run)
    assert ran == ['teacher.py', 'search.py']


def test_it_does_not_change_the_digest_of_its_run_and_its_epoch_that_of_a_search(planned):
    stages = planned()
    with_hook, search = run_digest(stages[:1]), run_digest(stages)
    assert run_digest(planned(hook='')[:1]) == with_hook
    assert run_digest(planned(epoch=2)) != search
