"""A run goes on from the newest whole checkpoint, whatever happened to the others."""

import os
import shutil

import pytest
import torch
from mmengine.config import Config

from mmtmix.engine.newest_checkpoint import find_checkpoint, newest_checkpoint, resume_newest

pytestmark = pytest.mark.host

SAVED = 4


@pytest.fixture(scope='module')
def run_folder(tmp_path_factory):
    """Four checkpoints with what resuming reads, and MMEngine's note of the newest."""
    folder = tmp_path_factory.mktemp('made') / 'run'
    folder.mkdir()
    for epoch in range(1, SAVED + 1):
        state = dict(weight=torch.full((500,), float(epoch)))
        content = dict(meta=dict(epoch=epoch), state_dict=state, message_hub=dict())
        torch.save(content, folder / f'epoch_{epoch}.pth')
    torch.save(dict(state_dict=state), folder / 'last.pth')
    (folder / 'last_checkpoint').write_text(str(folder / f'epoch_{SAVED}.pth'))
    return folder


@pytest.fixture
def folder(run_folder, tmp_path):
    copied = shutil.copytree(run_folder, tmp_path / 'run')
    (copied / 'last_checkpoint').write_text(str(copied / f'epoch_{SAVED}.pth'))
    return copied


def cut(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def empty(path):
    path.write_bytes(b'')


def flip(path):
    content = bytearray(path.read_bytes())
    content[content.index(torch.tensor(float(path.stem[-1])).numpy().tobytes()) + 100] ^= 16
    path.write_bytes(content)


def lose(path):
    path.unlink()


def diverge(path):
    content = torch.load(path, weights_only=True)
    content['state_dict']['weight'][3] = float('nan')
    torch.save(content, path)


def bare(path):
    torch.save(dict(state_dict={}), path)


def test_the_newest_is_found(folder):
    found = find_checkpoint(folder)
    assert (found.path, found.faults) == (folder / 'epoch_4.pth', [])


@pytest.mark.parametrize('damage', [cut, empty, flip, lose, diverge, bare])
@pytest.mark.parametrize('damaged', [1, 3])
def test_damaged_ones_are_passed_over_and_told(folder, damage, damaged):
    names = [f'epoch_{SAVED - number}.pth' for number in range(damaged)]
    for name in names:
        damage(folder / name)
    found = find_checkpoint(folder)
    assert found.path == folder / f'epoch_{SAVED - damaged}.pth'
    faults = ' '.join(found.faults)
    assert names[0] in faults
    if damage is not lose:
        assert all(name in faults for name in names)


@pytest.mark.parametrize('text', [None, b'', b'nonsense', b'\xff\xfe\x00', b'../../x', b'\0.pth'])
def test_a_missing_or_damaged_note_is_no_hindrance(folder, text):
    note = folder / 'last_checkpoint'
    note.unlink() if text is None else note.write_bytes(text)
    found = find_checkpoint(folder)
    assert found.path == folder / 'epoch_4.pth'
    assert 'last_checkpoint is missing or damaged' in found.faults[0]


def test_a_moved_folder_is_resumed_in_its_new_place(folder, tmp_path):
    (folder / 'last_checkpoint').write_text('/gone/run/epoch_3.pth')
    assert find_checkpoint(folder) == (folder / 'epoch_3.pth', [])


def test_later_ones_of_another_run_are_left_alone(folder):
    (folder / 'last_checkpoint').write_text(str(folder / 'epoch_2.pth'))
    cut(folder / 'epoch_2.pth')
    assert find_checkpoint(folder).path == folder / 'epoch_1.pth'


def test_where_none_is_whole_the_run_begins_anew(folder, capfd):
    for path in folder.glob('epoch_*.pth'):
        empty(path)
    cfg = Config(dict(work_dir=str(folder), load_from='pretrained.pth'))
    resume_newest(cfg)
    assert (cfg.get('resume'), cfg.load_from) == (None, 'pretrained.pth')
    lines = capfd.readouterr().out.splitlines()
    assert len(lines) == 1
    assert lines[0].endswith('the run begins anew')


def test_what_is_passed_over_is_told_in_one_line(folder, capfd):
    cut(folder / 'epoch_4.pth')
    cfg = Config(dict(work_dir=str(folder), load_from='pretrained.pth'))
    resume_newest(cfg)
    assert (cfg.resume, cfg.load_from) == (True, str(folder / 'epoch_3.pth'))
    (line,) = capfd.readouterr().out.splitlines()
    assert "epoch_4.pth' is damaged: " in line
    assert line.endswith(f': going on from {cfg.load_from}')


def test_an_empty_folder_has_none(tmp_path):
    assert find_checkpoint(tmp_path) == (None, [])
    assert newest_checkpoint(tmp_path / 'none') is None


@pytest.mark.parametrize('name', ['ckpt_{}.pth', 'run-2_{}.pth', '{}.pth'])
def test_names_of_another_template_are_found_without_the_note(folder, name):
    for number in range(1, SAVED + 1):
        (folder / f'epoch_{number}.pth').rename(folder / name.format(number))
    (folder / 'last_checkpoint').write_bytes(b'')
    shutil.copy(folder / name.format(1), folder / 'best_accuracy_top1_epoch_9.pth')
    assert find_checkpoint(folder).path == folder / name.format(SAVED)


def test_older_ones_are_looked_for_where_the_run_writes_them(folder, tmp_path):
    elsewhere = shutil.move(folder, tmp_path / 'out_dir')
    folder.mkdir()
    (folder / 'last_checkpoint').write_text(str(elsewhere / 'epoch_4.pth'))
    cut(elsewhere / 'epoch_4.pth')
    assert find_checkpoint(folder).path == elsewhere / 'epoch_3.pth'


def test_an_address_of_a_storage_service_is_left_to_mmengine(folder):
    (folder / 'last_checkpoint').write_text('s3://bucket/run/epoch_3.pth')
    assert find_checkpoint(folder) == ('s3://bucket/run/epoch_3.pth', [])


def test_a_later_one_that_is_newer_than_the_note_is_of_the_same_run(folder):
    note = folder / 'last_checkpoint'
    note.write_text(str(folder / 'epoch_3.pth'))
    os.utime(note, (1, 1))
    assert find_checkpoint(folder).path == folder / 'epoch_4.pth'


def test_a_later_one_of_another_run_is_better_than_to_begin_anew(folder):
    (folder / 'last_checkpoint').write_text(str(folder / 'epoch_1.pth'))
    cut(folder / 'epoch_1.pth')
    assert find_checkpoint(folder).path == folder / 'epoch_4.pth'
