"""What tools/train.py puts into the configs of a launch."""

import pytest
from mmengine.config import Config

from mmtmix.cli import arguments
from mmtmix.cli.main import parse
from mmtmix.engine.stages import Stage

pytestmark = pytest.mark.host


@pytest.fixture
def complete(load, tmp_path):
    """Complete the stage of a config that loads weights: ``complete('--resume')``."""
    tool = load('train')

    def run(*words, batch_size=8):
        cfg = Config(
            dict(
                load_from='phase1.pth',
                train_dataloader=dict(batch_size=batch_size, num_workers=0),
                model=dict(),
            )
        )
        args = parse('train', ['config.py', '--work-dir', str(tmp_path), *words])
        arguments.complete(args)
        stage = Stage('config.py', cfg)
        tool.complete(stage, args)
        return stage

    return run


def test_a_resume_goes_on_from_the_work_dir_or_begins_from_what_the_config_loads(complete):
    stage = complete('--resume')
    assert stage.goes_on
    assert (stage.cfg.get('resume'), stage.cfg.load_from) == (None, 'phase1.pth')


def test_a_resume_from_a_file_takes_it(complete):
    stage = complete('--resume', 'epoch_3.pth')
    assert not stage.goes_on
    assert (stage.cfg.resume, stage.cfg.load_from) == (True, 'epoch_3.pth')


@pytest.mark.parametrize(('batch_size', 'share'), [(8, 2), (100, 25)])
def test_divide_batch_is_for_all_processes_together(
    tmp_path, load, monkeypatch, batch_size, share
):
    tool = load('train')
    monkeypatch.setattr(tool.module, 'get_world_size', lambda: 4)
    cfg = Config(dict(train_dataloader=dict(batch_size=batch_size)))
    tool.divide_batch(Stage('config.py', cfg))
    assert cfg.train_dataloader.batch_size == share


def test_a_batch_that_cannot_be_shared_is_told(load, monkeypatch):
    tool = load('train')
    monkeypatch.setattr(tool.module, 'get_world_size', lambda: 3)
    cfg = Config(dict(train_dataloader=dict(batch_size=8)))
    with pytest.raises(ValueError, match='3 processes cannot share the batch of 8 of config.py'):
        tool.divide_batch(Stage('config.py', cfg))
