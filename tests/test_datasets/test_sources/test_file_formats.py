"""Half-written files are told by their ends, odd official ones pass."""

import io
import pickle

import mat4py
import numpy as np
import pytest
from PIL import Image as PillowImage

from mmtmix.datasets.sources import file_formats
from mmtmix.datasets.sources.file_formats import (
    Batch,
    FileFormat,
    Image,
    Mat,
    Pickle,
    Text,
    find_fault,
)

pytestmark = pytest.mark.host


def picture(kind, mode='RGB', **options):
    rng = np.random.default_rng(0)
    pixels = PillowImage.fromarray(rng.integers(0, 256, (64, 48, 3), dtype=np.uint8))
    buffer = io.BytesIO()
    pixels.convert(mode).save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.fixture
def fault_of(tmp_path):
    def fault(file_format, content, thorough=False):
        (tmp_path / 'file').write_bytes(content)
        return find_fault(file_format, tmp_path / 'file', thorough)

    return fault


JPEGS = {
    'plain': picture('JPEG'),
    'grey': picture('JPEG', 'L'),
    'CMYK': picture('JPEG', 'CMYK'),
    'progressive': picture('JPEG', progressive=True),
}
ODD = {
    'PNG': picture('PNG'),
    'GIF': picture('GIF', 'P'),
    'BMP': picture('BMP'),
    'zeros behind': JPEGS['plain'] + bytes(300),
    'text behind': JPEGS['plain'] + b'copyright ' * 900,
}


@pytest.mark.parametrize('name', [*JPEGS, *ODD])
def test_images_that_are_whole(fault_of, name):
    content = (JPEGS | ODD)[name]
    assert fault_of(Image(), content) == fault_of(Image(), content, True) == ''


@pytest.mark.parametrize('name', [*JPEGS, 'PNG'])
def test_an_image_cut_off_anywhere(fault_of, name):
    content = (JPEGS | ODD)[name]
    # without a checksum at its very end a PNG still has all its pixels
    last = len(content) - (30 if name == 'PNG' else 2)
    for length in [*range(1, last, 97), last]:
        assert 'damaged or not complete' in fault_of(Image(), content[:length]), length
        assert fault_of(Image(), content[:length] + bytes(5000)), length
    assert fault_of(Image(), b'') == 'empty'


def test_only_what_does_not_end_well_is_decoded(tmp_path, monkeypatch):
    def decoded(form, path):
        raise AssertionError('decoded')

    monkeypatch.setattr(Image, 'read', decoded)
    for name in (*JPEGS, 'PNG', 'zeros behind'):
        (tmp_path / 'file').write_bytes((JPEGS | ODD)[name])
        assert not find_fault(Image(), tmp_path / 'file')
    (tmp_path / 'file').write_bytes(ODD['GIF'])
    assert 'decoded' in find_fault(Image(), tmp_path / 'file')


def batch(images, **options):
    content = dict(data=np.zeros((images, 3072), np.uint8), labels=[1] * images)
    return pickle.dumps(content, **options)


def test_batches(fault_of):
    for protocol in (2, 3, 4, 5):
        assert not fault_of(Batch(5), batch(5, protocol=protocol))
    assert '4 images, at least 5 expected' in fault_of(Batch(5), batch(4))
    for cut in (1, 2, 40, 3072, 15000):
        assert 'damaged' in fault_of(Batch(5), batch(5)[:-cut])
    assert 'damaged' in fault_of(Batch(5), batch(5)[:-100] + bytes(100))


def test_pickles_texts_and_any_files(fault_of):
    content = batch(2)
    assert not fault_of(Pickle(), content) and fault_of(Pickle(), content[:-1])
    assert not fault_of(Text(2), b'a\n\nb') and '1 of 2 lines' in fault_of(Text(2), b'a\n\n')
    assert fault_of(Text(1), b'\xff\n')
    assert not fault_of(FileFormat(), b'x') and fault_of(FileFormat(), b'') == 'empty'


def test_mat_files(fault_of, tmp_path):
    annotations = dict(fname=['a', 'b'], label=[1, 2])
    mat4py.savemat(str(tmp_path / 'scratch.mat'), dict(annotations=annotations))
    content = (tmp_path / 'scratch.mat').read_bytes()
    assert not fault_of(Mat(), content) and not fault_of(Mat(), content, True)
    for length in range(0, len(content), 7):
        assert fault_of(Mat(), content[:length])


def test_whole_files_are_looked_at_by_their_ends_alone(tmp_path, monkeypatch):
    path = tmp_path / 'file'
    path.write_bytes(JPEGS['plain'] * 40)
    assert len(file_formats._both_ends(path)[1]) == file_formats._TAIL < path.stat().st_size
    assert not find_fault(Image(), path)
