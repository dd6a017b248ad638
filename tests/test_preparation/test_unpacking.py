"""Archives that want to write elsewhere, and other odd ones."""

import io
import tarfile
import zipfile

import pytest

from mmtmix.preparation import Files, Source, check_contents, unpack

pytestmark = pytest.mark.host

TAR = Source('set.tar.gz', (Files('data/*.txt', 2),))
ZIP = Source('set.zip', (Files('data/*.txt', 2),))
GOOD = {'data/a.txt': b'a', 'data/b.txt': b'b'}


def write(path, files, links=()):
    if path.suffix == '.zip':
        with zipfile.ZipFile(path, 'w') as archive:
            for name, content in files.items():
                archive.writestr(name, content)
            for name, target in links:
                member = zipfile.ZipInfo(name)
                member.external_attr = 0o120777 << 16
                archive.writestr(member, target)
        return path
    with tarfile.open(path, 'w:gz') as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
        for name, target in links:
            member = tarfile.TarInfo(name)
            member.type, member.linkname = tarfile.SYMTYPE, target
            archive.addfile(member)
    return path


@pytest.mark.parametrize(
    ('source', 'name'),
    [
        *((source, name) for source in (TAR, ZIP) for name in ('../evil.txt', 'link')),
        (TAR, 'data/../../evil.txt'),
        (ZIP, 'data/../../evil.txt'),
        (ZIP, '..\\evil.txt'),
        (ZIP, 'C:/evil.txt'),
    ],
)
def test_members_that_lead_elsewhere(tmp_path, source, name):
    files, links = ({}, [('data/l', '/etc')]) if name == 'link' else ({name: b'x'}, [])
    archive = write(tmp_path / source.name, {**GOOD, **files}, links)
    (tmp_path / 'deep').mkdir()
    with pytest.raises(ValueError, match='refused: a member leads elsewhere') as error:
        unpack(archive, source, tmp_path / 'deep' / 'root', print)
    assert str(archive) in str(error.value)
    assert not list(tmp_path.rglob('evil*'))
    assert not list((tmp_path / 'deep' / 'root').iterdir())


@pytest.mark.parametrize('source', [TAR, ZIP], ids=['tar', 'zip'])
def test_absolute_names_never_leave_the_folder(tmp_path, source):
    evil = tmp_path / 'evil.txt'
    archive = write(tmp_path / source.name, {**GOOD, str(evil): b'x'})
    if source is ZIP:
        with pytest.raises(ValueError, match='leads elsewhere'):
            unpack(archive, source, tmp_path / 'root', print)
    else:  # tarfile takes the root off
        unpack(archive, source, tmp_path / 'root', print)
    assert not evil.exists()


@pytest.mark.parametrize('source', [TAR, ZIP], ids=['tar', 'zip'])
@pytest.mark.parametrize('top', ['', './', 'packed-by-others/'])
def test_a_folder_around_it_does_not_matter(tmp_path, source, top):
    archive = write(tmp_path / source.name, {f'{top}{k}': v for k, v in GOOD.items()})
    unpack(archive, source, tmp_path / 'root', print)
    assert sorted(p.name for p in (tmp_path / 'root').iterdir()) == ['data']
    assert not check_contents(source.gives, tmp_path / 'root')


def test_archive_of_something_else_says_what_it_lacks(tmp_path):
    archive = write(tmp_path / 'set.zip', {'data/a.txt': b'a', 'x': b''})
    with pytest.raises(ValueError, match=r'nothing was changed:\n +data/\*\.txt: 1 of 2 files'):
        unpack(archive, ZIP, tmp_path / 'root', print)


def test_flipped_bit_is_found(tmp_path):
    archive = write(tmp_path / 'set.zip', {**GOOD, 'data/c.txt': b'c' * 50})
    content = bytearray(archive.read_bytes())
    content[content.index(b'c' * 50)] ^= 1
    archive.write_bytes(content)
    with pytest.raises(ValueError, match=r'set\.zip is damaged or not complete \(BadZipFile'):
        unpack(archive, ZIP, tmp_path / 'root', print)


def test_what_was_there_is_kept_under_new_names_each_time(tmp_path):
    archive = write(tmp_path / 'set.zip', GOOD)
    said = []
    for _ in range(3):
        unpack(archive, ZIP, tmp_path / 'root', said.append)
    names = sorted(p.name for p in (tmp_path / 'root').iterdir())
    assert names == ['data', 'data.incomplete', 'data.incomplete-2']
    assert 'data.incomplete-2, which you may delete' in said[-1]
