"""What lies in a folder: half-written and damaged files, and those of another system."""

from dataclasses import replace

import pytest

from mmtmix.apps.prepare import prepare
from mmtmix.datasets.sources import check_contents

pytestmark = pytest.mark.host


CASES = [
    ('tiny_imagenet', 'tiny-imagenet-200/train/n02/images/n02_1.JPEG'),
    ('tiny_imagenet', 'tiny-imagenet-200/val/images/val_2.JPEG'),
    ('pets', 'images/Cat_4.jpg'),
    ('cars', 'cars_test/00002.jpg'),
    ('cars', 'devkit/cars_train_annos.mat'),
    ('aircraft', 'data/variants.txt'),
    ('imagenet32', 'train_data_batch_7'),
]


@pytest.mark.parametrize(('name', 'file'), CASES)
@pytest.mark.parametrize('damage', ['truncated', 'text', 'zeros', 'empty'])
def test_half_written_file_is_never_taken_for_whole(small, tmp_path, name, file, damage):
    data_set, store = small(name)
    root = prepare(data_set, tmp_path / 'root', sorted(store.iterdir()))
    content = (root / file).read_bytes()
    half = content[: len(content) // 2]
    contents = dict(truncated=half, text=b'no image', zeros=half + bytes(5000), empty=b'')
    (root / file).write_bytes(contents[damage])
    lacking = replace(data_set, sources=tuple(replace(s, url=None) for s in data_set.sources))
    with pytest.raises(FileNotFoundError) as error:
        prepare(lacking, root)
    assert f'{root / file}: ' in str(error.value)
    assert 'damaged or not complete' in str(error.value) or damage == 'empty'
    prepare(data_set, root, sorted(store.iterdir()))
    assert (root / file).read_bytes() == content


@pytest.mark.parametrize(('name', 'file'), [case for case in CASES if 'txt' not in case[1]])
def test_deep_check_names_what_only_reading_finds(small, tmp_path, name, file):
    data_set, store = small(name)
    root = prepare(data_set, tmp_path / 'root', sorted(store.iterdir()))
    content = (root / file).read_bytes()
    head, tail = 136 if file.endswith('.mat') else 3, 12
    (root / file).write_bytes(content[:head] + bytes(len(content) - head - tail) + content[-tail:])
    prepare(data_set, root)
    with pytest.raises(ValueError, match='has 1 file that cannot be read') as error:
        prepare(data_set, root, deep=True)
    assert str(root / file) in str(error.value)


@pytest.mark.parametrize('name', ['tiny_imagenet', 'pets', 'cars', 'flowers102'])
def test_side_files_of_macos_are_neither_contents_nor_in_the_way(small, tmp_path, name):
    data_set, store = small(name)
    root = prepare(data_set, tmp_path / 'root', sorted(store.iterdir()))
    for path in [path for path in root.rglob('*') if path.is_file()]:
        path.with_name(f'._{path.name}').write_bytes(b'side file')
        for side in ('.DS_Store', 'Thumbs.db'):
            path.with_name(side).write_bytes(b'side file')
    prepare(data_set, root, deep=True)
    image = next(path for path in sorted(root.rglob('*.[jJ]*')) if not path.name.startswith('.'))
    image.unlink()
    assert check_contents(data_set.all_contents, root)
