"""Which checkpoints restarted processes continue from."""

import os

import pytest
import torch
from mmengine.config import Config

from mmtmix.engine.restarts import launch_id, resume_restarted
from mmtmix.utils.holder import Holder

pytestmark = pytest.mark.host
NAMES = ('TORCHELASTIC_RUN_ID', 'GROUP_WORLD_SIZE', 'SLURM_JOB_ID', 'SLURM_STEP_ID')


@pytest.fixture
def launched(monkeypatch):
    """Set the variables of a launcher, and no others."""

    def launch(**env):
        for name in NAMES:
            monkeypatch.delenv(name, raising=False)
        for name, value in env.items():
            monkeypatch.setenv(name, value)

    launch()
    return launch


@pytest.mark.parametrize(
    ('launcher', 'env', 'wanted'),
    [
        ('none', {}, None),
        ('pytorch', dict(TORCHELASTIC_RUN_ID='a1'), 'torchrun a1'),
        # torchrun with one process, of which the config has not been told
        ('none', dict(TORCHELASTIC_RUN_ID='a1'), 'torchrun a1'),
        ('pytorch', dict(TORCHELASTIC_RUN_ID='none', GROUP_WORLD_SIZE='2'), None),
        ('slurm', dict(SLURM_JOB_ID='7', SLURM_STEP_ID='0'), 'slurm 7.0'),
        # several launches in one shell of an allocation
        ('pytorch', dict(SLURM_JOB_ID='7', SLURM_STEP_ID='0'), None),
        ('slurm', dict(SLURM_JOB_ID='7'), None),
        ('mpi', {}, None),
    ],
)
def test_launch_has_a_name_where_its_launcher_gives_it_one(launched, launcher, env, wanted):
    launched(**env)
    assert launch_id(launcher) == wanted


def test_launch_without_a_name_on_one_machine_has_that_of_its_agent(launched):
    launched(TORCHELASTIC_RUN_ID='none', GROUP_WORLD_SIZE='1')
    agent = Holder.of(os.getppid())
    assert launch_id('pytorch') == f'torchrun {agent.host} {agent.pid} {agent.started}'
    assert agent.is_alive and agent.pid != os.getpid()


def save(folder, number, launch, is_noted=True):
    content = dict(
        meta=dict(launch=launch), state_dict=dict(w=torch.ones(1)), message_hub=dict(log={})
    )
    torch.save(content, folder / f'epoch_{number}.pth')
    if is_noted:
        (folder / 'last_checkpoint').write_text(str(folder / f'epoch_{number}.pth'))


def resumed(folder):
    cfg = Config(dict(work_dir=str(folder), launcher='pytorch', load_from='given.pth'))
    resume_restarted(cfg)
    return cfg.get('resume', False), os.path.basename(cfg.load_from)


def test_restart_continues_from_what_its_launch_wrote(launched, tmp_path, capsys):
    launched(TORCHELASTIC_RUN_ID='now')
    nothing = (False, 'given.pth')
    assert resumed(tmp_path) == nothing
    for number in (8, 9, 10, 11):
        save(tmp_path, number, 'torchrun before')
    assert resumed(tmp_path) == nothing
    assert not capsys.readouterr().out
    save(tmp_path, 1, 'torchrun now')
    assert resumed(tmp_path) == (True, 'epoch_1.pth')
    assert capsys.readouterr().out.startswith('the processes were restarted: going on from ')
    save(tmp_path, 2, 'torchrun now')
    (tmp_path / 'epoch_2.pth').write_bytes(b'half')  # killed while it was written
    assert resumed(tmp_path) == (True, 'epoch_1.pth')
    launched()
    assert resumed(tmp_path) == nothing
