"""Files that appear whole or not at all."""

import hashlib
import stat

import pytest

from mmtmix.utils import atomic_path, file_digest


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
