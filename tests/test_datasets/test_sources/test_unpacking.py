"""Archives that want to write elsewhere, and other odd ones."""

import io
import tarfile
import zipfile

import pytest

from mmtmix.datasets.sources import Files, Source, check_contents, unpack, unpacking

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


@pytest.mark.parametrize(
    ('name', 'content', 'reason'),
    [
        ('set.zip', 'cut', 'it ends too early'),
        ('set.tar.gz', 'cut', 'it ends too early'),
        ('set.zip', b'<html>', 'BadZipFile: File is not a zip file'),
        ('set.tar.gz', b'<html>', 'it is no tar archive'),
    ],
)
def test_what_is_no_whole_archive_is_told_in_a_line(tmp_path, name, content, reason):
    if content == 'cut':
        content = write(tmp_path / 'whole.zip', GOOD).read_bytes()[:-30]
    (tmp_path / name).write_bytes(content)
    source = ZIP if name == 'set.zip' else TAR
    with pytest.raises(ValueError) as error:
        unpack(tmp_path / name, source, tmp_path / 'root', print)
    assert str(error.value) == (
        f'{tmp_path / name} is damaged or not complete ({reason}); delete it and fetch it again.'
    )


def test_what_was_there_is_kept_under_new_names_each_time(tmp_path):
    archive = write(tmp_path / 'set.zip', GOOD)
    said = []
    for _ in range(3):
        unpack(archive, ZIP, tmp_path / 'root', said.append)
    names = sorted(p.name for p in (tmp_path / 'root').iterdir())
    assert names == ['data', 'data.incomplete', 'data.incomplete-2']
    assert 'data.incomplete-2, which you may delete' in said[-1]


FORMATS = ['tar', 'tar.gz', 'tar.bz2', 'tar.xz', 'zip-0', 'zip-8', 'zip-12', 'zip-14']


def pack(path, kind):
    """Write the two files in a format, whatever the name says; zip's come with their number."""
    noise = bytes(range(256)) * 20
    files = {'data/a.txt': noise, 'data/b.txt': noise[::-1]}
    if kind.startswith('zip'):
        with zipfile.ZipFile(path, 'w', int(kind[4:])) as archive:
            for name, content in files.items():
                archive.writestr(name, content)
    else:
        with tarfile.open(path, f'w:{kind[4:]}') as archive:
            for name, content in files.items():
                member = tarfile.TarInfo(name)
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))


@pytest.mark.parametrize('kind', FORMATS)
@pytest.mark.parametrize('damage', ['cut', 'garbled', 'flipped'])
def test_damage_of_any_format_is_one_clear_error(tmp_path, kind, damage):
    archive = tmp_path / 'set.tar.gz'
    pack(archive, kind)
    content = archive.read_bytes()
    refused = 0
    for number in range(40):
        at = len(content) * number // 40
        garbled = bytearray(content)
        if damage == 'cut':
            garbled = garbled[:at]
        elif damage == 'flipped':
            garbled[at] ^= 0x55
        else:
            garbled[at : at + 60] = b'\xff' * len(garbled[at : at + 60])
        archive.write_bytes(garbled)
        try:
            unpack(archive, TAR, tmp_path / 'root', lambda text: None)
        except ValueError as error:  # noqa: PERF203
            assert str(error).startswith(f'{archive} is ')
            refused += 1
    assert refused or damage == 'flipped'


def test_side_folder_of_macos_is_no_second_top(tmp_path):
    files = {f'around/{name}': content for name, content in GOOD.items()}
    files |= {'__MACOSX/around/._data': b'x', '__MACOSX/around/data/._a.txt': b'x'}
    unpack(write(tmp_path / 'set.zip', files), ZIP, tmp_path / 'root', print)
    assert [p.name for p in (tmp_path / 'root').iterdir()] == ['data']


@pytest.mark.parametrize('source', [TAR, ZIP])
def test_what_would_fill_the_disk_is_refused_before_it_does(tmp_path, monkeypatch, source):
    monkeypatch.setattr(unpacking, '_MOST_BYTES', 1 << 20)
    path = tmp_path / source.name
    bomb = dict(GOOD, **{'data/c.txt': bytes(8 << 20)})
    if source is ZIP:
        with zipfile.ZipFile(path, 'w', zipfile.ZIP_DEFLATED) as archive:
            for name, content in bomb.items():
                archive.writestr(name, content)
    else:
        write(path, bomb)
    with pytest.raises(ValueError, match=r'set\.\S+ is refused: it unpacks to more than 1 MiB'):
        unpack(path, source, tmp_path / 'root', print)
    assert not list((tmp_path / 'root').iterdir())


@pytest.mark.parametrize('source', [TAR, ZIP])
def test_archives_of_too_many_files_are_refused(tmp_path, monkeypatch, source):
    monkeypatch.setattr(unpacking, '_MOST_FILES', 1)
    with pytest.raises(ValueError, match='is refused: it unpacks to .* or 1 files'):
        unpack(write(tmp_path / source.name, GOOD), source, tmp_path / 'root', print)
