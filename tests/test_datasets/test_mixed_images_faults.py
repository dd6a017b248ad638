"""MixedImages: damaged and missing shards, wrong arguments, and the check before a training."""

import traceback

import pytest
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from torch.utils.data import DataLoader

from mmtmix.datasets import MixedImages, check_data
from mmtmix.datasets.mixed_shards import shard_name

PACK = [{'type': 'PackInputs'}]


def damage(path, how):
    data = path.read_bytes()
    if how == 'truncated':
        path.write_bytes(data[:-20])
    elif how == 'missing':
        path.unlink()
    else:
        position = data.index(b'\x89PNG') + 50
        path.write_bytes(data[:position] + bytes([data[position] ^ 1]) + data[position + 1 :])


@pytest.mark.parametrize('workers', [0, 2])
@pytest.mark.parametrize('how', ['truncated', 'altered', 'missing'])
@pytest.mark.host
def test_damage_after_opening_is_told_in_the_main_process(make_set, workers, how):
    folder, _, _ = make_set()
    # not in test mode, where MMEngine tries other images when one gives None
    dataset = MixedImages(folder, pipeline=PACK)
    path = folder / shard_name(1)
    damage(path, how)
    loader = DataLoader(dataset, batch_size=4, num_workers=workers, collate_fn=pseudo_collate)
    with pytest.raises((ValueError, FileNotFoundError)) as error:
        list(loader)
    text = ''.join(traceback.format_exception(error.value))
    assert str(path) in text and how in text and 'generator again with the same command' in text


@pytest.mark.parametrize('labels', ['teachers', None, 1])
def test_unknown_labels(make_set, labels):
    with pytest.raises(ValueError, match="labels must be one of 'hard_teacher', .*got"):
        MixedImages(make_set()[0], labels=labels)


@pytest.mark.parametrize('name', ['ann_file', 'data_prefix', 'filter_cfg', 'serialize_data'])
def test_arguments_without_meaning_are_refused(make_set, name):
    with pytest.raises(ValueError, match=f'does not take {name}'):
        MixedImages(make_set()[0], **{name: None})


@pytest.mark.parametrize('data_root', ['', None, 3])
def test_data_root_that_is_no_folder(data_root):
    for call in (MixedImages, MixedImages.missing_files):
        with pytest.raises((TypeError, ValueError), match='data_root must be a path'):
            call(data_root)


def config(folder):
    # wrapped, as a training on clean and mixed images has it
    mixed = {'type': 'MixedImages', 'data_root': str(folder), 'labels': 'mixed', 'pipeline': PACK}
    clean = {'type': 'FashionMNISTIdx', 'pipeline': PACK}
    wrapped = {'type': 'ConcatDataset', 'datasets': [clean, mixed]}
    return Config({'train_dataloader': {'dataset': wrapped}})


@pytest.mark.host
def test_check_data(make_set):
    folder, _, _ = make_set()
    check_data(config(folder))
    (folder / shard_name(1)).write_bytes(b'')  # only reading would tell
    check_data(config(folder))

    def told():
        with pytest.raises(FileNotFoundError) as error:
            check_data(config(folder))
        assert 'train_dataloader.dataset.datasets[1]: MixedImages' in str(error.value)
        assert str(folder) in str(error.value)
        assert 'python tools/generate_mixed.py CONFIG --out DIR --num N' in str(error.value)
        return str(error.value)

    (folder / shard_name(1)).unlink()
    assert f'missing: {shard_name(1)}\n' in told()
    (folder / 'dataset.json').unlink()
    assert 'missing: dataset.json (not finished: 2 of 3 shards are there)' in told()
    with pytest.raises(FileNotFoundError, match='not finished: 2 of 3 shards are there'):
        MixedImages(folder)
    (folder / 'settings.json').unlink()
    assert 'missing: dataset.json\n' in told()
    (folder / 'dataset.json').write_text('{')
    with pytest.raises(ValueError, match=r'dataset\.json is damaged'):
        check_data(config(folder))
