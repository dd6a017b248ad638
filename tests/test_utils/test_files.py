"""Files that appear whole or not at all."""

import errno
import hashlib
import os
import re
import resource
import stat

import pytest
import torch

from mmtmix.utils import atomic_path, file_digest, make_writable_folder


def test_a_file_appears_under_its_name_when_it_is_complete(tmp_path):
    path = tmp_path / 'new' / 'folder' / 'a.txt'
    with atomic_path(path) as temporary:
        temporary.write_text('whole')
        assert not path.exists()
        assert (temporary.parent, temporary.suffix) == (path.parent, path.suffix)
    assert path.read_text() == 'whole'
    assert list(path.parent.iterdir()) == [path]


def test_a_file_that_was_there_is_replaced(tmp_path):
    path = tmp_path / 'a.txt'
    path.write_text('old and longer')
    with atomic_path(str(path)) as temporary:
        temporary.write_text('new')
    assert path.read_text() == 'new'


@pytest.mark.parametrize('error', [ValueError, KeyboardInterrupt])
def test_after_an_error_the_old_file_stands_and_nothing_is_left_behind(tmp_path, error):
    path = tmp_path / 'a.txt'
    path.write_text('old')
    with pytest.raises(error), atomic_path(path) as temporary:
        temporary.write_text('half')
        raise error
    assert path.read_text() == 'old'
    assert list(tmp_path.iterdir()) == [path]


def test_a_finished_file_has_the_rights_of_any_new_file(tmp_path):
    plain, path = tmp_path / 'plain.txt', tmp_path / 'a.txt'
    plain.touch()
    with atomic_path(path):
        pass
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE(plain.stat().st_mode)


def test_two_writers_of_one_name_do_not_meet(tmp_path):
    path = tmp_path / 'a.txt'
    with atomic_path(path) as first, atomic_path(path) as second:
        assert first != second
        first.write_text('first')
        second.write_text('second')
    assert path.read_text() == 'first'


def test_a_digest_is_the_start_of_the_files_sha256(tmp_path):
    path = tmp_path / 'big.bin'
    content = bytes(range(256)) * 5000  # more than is read at once
    path.write_bytes(content)
    expected = hashlib.sha256(content).hexdigest()
    assert file_digest(path) == expected[:12]
    assert file_digest(path, length=64) == expected


@pytest.mark.parametrize('code', [errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO])
def test_a_full_disk_is_named_with_the_file_and_the_cure(tmp_path, monkeypatch, code):
    path = tmp_path / 'a.txt'
    path.write_text('old')

    def fail(handle):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, 'fsync', fail)
    with pytest.raises(OSError) as error, atomic_path(path) as temporary:
        temporary.write_text('new')
    assert error.value.errno == code
    text = str(error.value)
    assert f'{path} cannot be written: {os.strerror(code)}' in text
    assert re.search(r'; .*(make room|raise|give a folder)', text)
    assert ('MiB free in' in text) == (code in (errno.ENOSPC, errno.EDQUOT))
    assert path.read_text() == 'old'
    assert list(tmp_path.iterdir()) == [path]


def test_a_limit_of_file_sizes_that_torch_hides_is_named(tmp_path):
    path = tmp_path / 'a.pth'
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))  # Python ignores the signal
    try:
        with (
            pytest.raises(OSError) as error,
            atomic_path(path) as temporary,
            open(temporary, 'wb') as file,
        ):
            torch.save(torch.zeros(9999), file)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    text = str(error.value)
    assert text.startswith(f'[Errno {errno.EFBIG}] {path} cannot be written: File too large; ')
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize('use', [atomic_path, make_writable_folder])
def test_a_file_in_the_place_of_a_folder_is_named(tmp_path, use):
    (tmp_path / 'file').touch()
    for path in (tmp_path / 'file' / 'a.txt', tmp_path / 'file' / 'sub' / 'a.txt'):
        found = pytest.raises(OSError, match=f'{path} cannot be written: .*give another folder')
        with found, use(path):
            raise AssertionError('not reached')


def test_a_folder_under_the_name_is_named(tmp_path):
    (tmp_path / 'a.txt').mkdir()
    found = pytest.raises(IsADirectoryError, match='a.txt cannot be written: .*has that name')
    with found, atomic_path(tmp_path / 'a.txt'):
        pass


def test_errors_about_other_files_stay_as_they_are(tmp_path):
    other = PermissionError(errno.EACCES, 'Permission denied', str(tmp_path / 'source.txt'))
    for error in (other, FileNotFoundError(errno.ENOENT, 'missing'), OSError('no number')):
        with pytest.raises(OSError) as raised, atomic_path(tmp_path / 'new' / 'a.txt'):
            raise error
        assert raised.value is error


def test_files_and_then_their_names_are_synced(tmp_path, monkeypatch):
    calls = []
    sync, rename = os.fsync, os.replace
    monkeypatch.setattr(
        os,
        'fsync',
        lambda handle: (calls.append(stat.S_ISDIR(os.fstat(handle).st_mode)), sync(handle)),
    )
    monkeypatch.setattr(os, 'replace', lambda *names: (calls.append('rename'), rename(*names)))
    with atomic_path(tmp_path / 'a.txt') as temporary:
        temporary.write_text('new')
    assert calls == [False, 'rename', True]


def test_a_folder_that_can_be_written_to_is_made_and_left_empty(tmp_path):
    make_writable_folder(tmp_path / 'a' / 'b')
    assert list((tmp_path / 'a' / 'b').iterdir()) == []
