"""Files that would run code when they are loaded, on every way into tools/train.py and test.py."""

import os
import shutil

import pytest
import torch

from mmtmix.utils import UnsafeCheckpointError

pytestmark = pytest.mark.host

TEACHER = 'configs/simple/teacher.py'
WORK = 'work_dirs/simple/teacher'


class Call:
    """Makes a folder whenever it is unpickled."""

    def __init__(self, folder):
        self.folder = str(folder)

    def __reduce__(self):
        return os.makedirs, (self.folder, 0o777, True)


@pytest.fixture
def proof(tmp_path):
    """What exists once a file's code has run."""
    path = tmp_path / 'proof'
    yield path
    assert not path.exists()


@pytest.fixture
def job(tmp_path, write_job):
    write_job(tmp_path, hooks=())
    return tmp_path


@pytest.fixture
def evil(tmp_path, proof, main_job):
    """A checkpoint of a real run with a guest in it."""
    content = torch.load(main_job[0] / WORK / 'epoch_2.pth', weights_only=False)
    content['meta']['guest'] = Call(proof)
    torch.save(content, tmp_path / 'evil.pth')
    return tmp_path / 'evil.pth'


def plant(evil, folder):
    """Make a file the newest checkpoint of a work dir."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(evil, folder / 'epoch_1.pth')
    (folder / 'last_checkpoint').write_text(str(folder / 'epoch_1.pth'))


def test_resuming_from_a_file(job, evil, run_tool):
    with pytest.raises(UnsafeCheckpointError, match=r'evil\.pth.* --trust-checkpoint'):
        run_tool('train', job, TEACHER, '--resume', str(evil))


def test_a_planted_newest_checkpoint(job, evil, run_tool):
    plant(evil, job / WORK)
    with pytest.raises(UnsafeCheckpointError, match=r'epoch_1\.pth.* --trust-checkpoint'):
        run_tool('train', job, TEACHER, '--resume')


def test_a_planted_checkpoint_of_a_required_stage(job, evil, run_tool):
    plant(evil, job / WORK)
    with pytest.raises(UnsafeCheckpointError, match=r'epoch_1\.pth.* --trust-checkpoint'):
        run_tool('train', job, 'configs/transformmix/tiny.py')


@pytest.mark.parametrize(
    'option',
    [
        'load_from={}',
        'model.init_cfg.type=Pretrained model.init_cfg.checkpoint={}',
        'model.backbone.init_cfg.type=Pretrained model.backbone.init_cfg.checkpoint={}',
    ],
)
def test_weights_to_begin_with(job, evil, run_tool, option):
    with pytest.raises(UnsafeCheckpointError, match=r'evil\.pth.* --trust-checkpoint'):
        run_tool('train', job, TEACHER, '--cfg-options', *option.format(evil).split())


def test_a_teacher(job, evil, run_tool):
    (job / WORK).mkdir(parents=True)
    shutil.copy(evil, job / WORK / 'last.pth')
    with pytest.raises(UnsafeCheckpointError, match=r'last\.pth.* --trust-checkpoint'):
        run_tool('train', job, 'configs/transformmix/search_tiny.py')


def test_a_tested_checkpoint(job, evil, run_tool):
    with pytest.raises(UnsafeCheckpointError, match=r'evil\.pth.* --trust-checkpoint'):
        run_tool('test', job, TEACHER, str(evil))


def test_the_config_in_a_checkpoint_is_not_executed(job, proof, main_job, run_tool):
    content = torch.load(main_job[0] / WORK / 'epoch_2.pth', weights_only=False)
    code = f'import os\nos.mkdir({str(proof)!r})\n'
    content['meta']['config'] = content['meta']['cfg'] = code
    content['message_hub']['runtime_info']['cfg'] = code
    plain = job / 'plain.pth'
    torch.save(content, plain)
    options = ('--cfg-options', 'train_cfg.max_epochs=3')
    run_tool('train', job, TEACHER, '--resume', str(plain), *options)
    assert (job / WORK / 'last.pth').is_file()


def test_the_files_that_the_user_names_are_trusted(job, main_job, run_tool, tmp_path):
    content = torch.load(main_job[0] / WORK / 'epoch_2.pth', weights_only=False)
    ran = tmp_path / 'ran'
    content['meta']['guest'] = Call(ran)
    torch.save(content, job / 'mine.pth')
    trust = ('--trust-checkpoint', str(job / 'mine.pth'))
    run_tool('test', job, TEACHER, str(job / 'mine.pth'), *trust)
    assert ran.is_dir()
