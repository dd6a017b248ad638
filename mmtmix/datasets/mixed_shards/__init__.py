"""The storage of images that were mixed beforehand: a folder of shards and a description."""

from .files import (
    DATASET_FILE,
    SETTINGS_FILE,
    description_digest,
    is_complete_set,
    read_dataset_file,
    shard_files,
    shard_name,
    verify_set,
)
from .images import RAW_BYTES, decode_image, encode_image, raw_images
from .mixed_set import MixedSet
from .reader import ShardReader
from .records import FORMATS, PNG_FORMAT, MixedRecords, pack_shard

__all__ = [
    'DATASET_FILE',
    'FORMATS',
    'PNG_FORMAT',
    'RAW_BYTES',
    'SETTINGS_FILE',
    'MixedRecords',
    'MixedSet',
    'ShardReader',
    'decode_image',
    'description_digest',
    'encode_image',
    'is_complete_set',
    'pack_shard',
    'raw_images',
    'read_dataset_file',
    'shard_files',
    'shard_name',
    'verify_set',
]
