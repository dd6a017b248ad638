"""Configs, files and checkpoints. Imports nothing else of this library."""

from .checkpoint import (
    UnsafeCheckpointError,
    allow_mmengine_checkpoints,
    check_finite_weights,
    describe_checkpoint,
    fetch_checkpoint,
    load_checkpoint,
    read_weights,
    unwrap,
)
from .config import load_config, resolve_config
from .files import atomic_path, check_writable, file_digest, publish_file, write_fault
from .memory import peak_memory
from .precision import (
    AUTO,
    DTYPES,
    check_dtype,
    choose_dtype,
    dtype_name,
    fast_precision,
    is_faster_in_half,
)
from .schedule import scale_epochs
from .timing import median_seconds, seconds_of

__all__ = [
    'AUTO',
    'DTYPES',
    'UnsafeCheckpointError',
    'allow_mmengine_checkpoints',
    'atomic_path',
    'check_dtype',
    'check_finite_weights',
    'check_writable',
    'choose_dtype',
    'describe_checkpoint',
    'dtype_name',
    'fast_precision',
    'fetch_checkpoint',
    'file_digest',
    'is_faster_in_half',
    'load_checkpoint',
    'load_config',
    'median_seconds',
    'peak_memory',
    'publish_file',
    'read_weights',
    'resolve_config',
    'scale_epochs',
    'seconds_of',
    'unwrap',
    'write_fault',
]
