"""Checkpoints of a Runner: whole under their names, whoever writes them, also on a full disk."""

import errno
import os
import re

import pytest
from mmengine.fileio import LocalBackend

from mmtmix.engine.checkpoints import write_checkpoints_whole, write_whole
from mmtmix.utils import load_checkpoint

pytestmark = pytest.mark.host


@pytest.fixture
def fill_disk(monkeypatch):
    """Let the disk be full at a checkpoint: ``fill_disk('epoch_2')``; a part of it is written."""

    def fill(name, code=errno.ENOSPC):
        put = LocalBackend.put

        def put_part(self, content, path):
            if name not in str(path):
                return put(self, content, path)
            put(self, content[:100], path)
            raise OSError(code, os.strerror(code))

        monkeypatch.setattr(LocalBackend, 'put', put_part)

    return fill


def test_a_full_disk_leaves_the_checkpoints_before_it_and_no_part_of_the_new_one(
    tmp_path, probe_runner, fill_disk
):
    runner = probe_runner(dict(type='LastCheckpointHook'), epochs=3)
    write_checkpoints_whole(runner)
    fill_disk('epoch_2')
    with pytest.raises(OSError) as error:
        runner.train()
    path = tmp_path / 'run' / 'epoch_2.pth'
    assert error.value.errno == errno.ENOSPC
    assert re.fullmatch(
        rf'\[Errno 28\] {path} cannot be written: No space left on device \([\d,.]+ MiB free in '
        rf'{path.parent}\); make room there, or give another folder',
        str(error.value),
    )
    names = {file.name for file in path.parent.iterdir() if file.is_file()}
    assert {name for name in names if 'pth' in name} == {'epoch_1.pth'}
    assert (path.parent / 'last_checkpoint').read_text() == str(path.parent / 'epoch_1.pth')
    assert load_checkpoint(path.parent / 'epoch_1.pth')['meta']['epoch'] == 1


def test_every_checkpoint_of_a_run_is_written_beside_its_name(tmp_path, probe_runner, monkeypatch):
    written, put = [], LocalBackend.put
    monkeypatch.setattr(
        LocalBackend,
        'put',
        lambda self, content, path: (
            written.append(os.path.basename(path)),
            put(self, content, path),
        ),
    )
    runner = probe_runner(dict(type='LastCheckpointHook'))
    for _ in range(2):  # a second call changes nothing
        write_checkpoints_whole(runner)
    runner.train()
    runner.save_checkpoint(str(tmp_path / 'run'), 'mine.pth', None, False)
    names = ['.epoch_1.pth.partial', '.epoch_2.pth.partial', '..last.pth.partial.partial']
    assert written == [*names, '.mine.pth.partial']
    files = {file.name for file in (tmp_path / 'run').iterdir()}
    assert {'epoch_1.pth', 'epoch_2.pth', 'last.pth', 'mine.pth'} <= files
    assert not [name for name in files if 'partial' in name]
    assert 'optimizer' in load_checkpoint(tmp_path / 'run' / 'epoch_2.pth')
    assert 'optimizer' not in load_checkpoint(tmp_path / 'run' / 'mine.pth')


def test_what_goes_to_a_storage_service_is_left_to_it(tmp_path, probe_runner):
    runner = probe_runner()
    seen = []

    def save(out_dir, filename, file_client_args=None, save_optimizer=True, backend_args=None):
        seen.append((out_dir, filename, file_client_args, backend_args))

    runner.save_checkpoint = save
    write_checkpoints_whole(runner)
    runner.save_checkpoint('s3://bucket/run', 'a.pth')
    petrel = dict(backend='petrel')
    runner.save_checkpoint('run', 'a.pth', backend_args=petrel)
    runner.save_checkpoint('run', 'a.pth', petrel)
    assert seen == [
        ('s3://bucket/run', 'a.pth', None, None),
        ('run', 'a.pth', None, petrel),
        ('run', 'a.pth', petrel, None),
    ]


def test_a_file_that_was_there_stands_until_the_new_one_is_complete(tmp_path):
    (tmp_path / 'a.pth').write_text('old')
    (tmp_path / '.a.pth.partial').write_text('of a kill')

    def fail(name):
        (tmp_path / name).write_text('half')
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_whole(fail, str(tmp_path), 'a.pth')
    assert [file.name for file in tmp_path.iterdir()] == ['a.pth']
    assert (tmp_path / 'a.pth').read_text() == 'old'
    write_whole(lambda name: (tmp_path / name).write_text('new'), str(tmp_path), 'a.pth')
    assert [file.read_text() for file in tmp_path.iterdir()] == ['new']
