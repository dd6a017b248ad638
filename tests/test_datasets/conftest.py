"""Small sets of mixed images, with random content."""

import hashlib
import json

import numpy as np
import pytest

from mmtmix.datasets.mixed_shards import (
    FORMATS,
    MixedRecords,
    encode_image,
    pack_shard,
    raw_images,
)

DIGEST = hashlib.sha256(b'settings').hexdigest()


@pytest.fixture(scope='session')
def make_records():
    """Make ``(records, images)``: ``make_records(count, shape=(9, 7, 3), raw=True, **fields)``."""

    def make(
        count=5,
        *,
        shape=(9, 7, 3),
        seed=0,
        channel_order='rgb',
        num_mix=3,
        num_classes=4,
        raw=False,
        **fields,
    ):
        rng = np.random.default_rng(seed)
        images = list(rng.integers(0, 256, (count, *shape), dtype=np.uint8))
        targets = rng.dirichlet([1] * num_classes, count).astype(np.float32)
        stored = [encode_image(image, channel_order) for image in images]
        values = dict(
            images=raw_images(np.stack(images), channel_order) if raw else stored,
            sources=rng.integers(0, 1000, (count, num_mix)),
            flips=rng.random((count, num_mix)) < 0.5,
            weights=rng.dirichlet([1] * num_mix, count).astype(np.float32),
            classes=rng.integers(0, num_classes, (count, num_mix)),
            targets=targets,
            winners=targets.argmax(axis=1),
            iterations=rng.integers(1, 100, count),
            finished=rng.random(count) < 0.9,
        )
        return MixedRecords(**dict(values, **fields)), images

    return make


@pytest.fixture
def make_set(tmp_path, make_records):
    """Make ``(folder, images, records)`` of a set of shards of the given sizes."""

    def make(sizes=(4, 4, 3), *, name='set', channel_order='rgb', described=None, **kwargs):
        folder = tmp_path / name
        folder.mkdir()
        (folder / 'settings.json').write_text(json.dumps({'num_shards': len(sizes)}))
        all_images, all_records = [], []
        for number, size in enumerate(sizes):
            records, images = make_records(
                size, seed=number, channel_order=channel_order, **kwargs
            )
            blob = pack_shard(records, number, DIGEST)
            (folder / f'shard-{number:05d}.safetensors').write_bytes(blob)
            all_images += images
            all_records.append(records)
        num_mix, num_classes = records.sources.shape[1], records.targets.shape[1]
        content = dict(
            format=records.format,
            num=sum(sizes),
            shards=list(sizes),
            settings_digest=DIGEST,
            classes=[f'class {i}' for i in range(num_classes)],
            num_classes=num_classes,
            num_mix=num_mix,
            channel_order=channel_order,
            settings={},
            statistics={},
        )
        if records.format == 2:
            content['encoding'] = FORMATS[2]
        (folder / 'dataset.json').write_text(json.dumps(dict(content, **(described or {}))))
        return folder, all_images, all_records

    return make
