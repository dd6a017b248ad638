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
from .command import CommandParser, describe_error, launch_rank, run_command, warn_user
from .config import load_config, resolve_config
from .files import atomic_path, file_digest
from .memory import peak_memory
from .outputs import check_device, check_output_file, check_output_folder
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
from .stopping import Stopped, run_child, stop_request, stoppable
from .timing import median_seconds, seconds_of

__all__ = [
    'AUTO',
    'DTYPES',
    'CommandParser',
    'Stopped',
    'UnsafeCheckpointError',
    'allow_mmengine_checkpoints',
    'atomic_path',
    'check_device',
    'check_dtype',
    'check_finite_weights',
    'check_output_file',
    'check_output_folder',
    'choose_dtype',
    'describe_checkpoint',
    'describe_error',
    'dtype_name',
    'fast_precision',
    'fetch_checkpoint',
    'file_digest',
    'is_faster_in_half',
    'launch_rank',
    'load_checkpoint',
    'load_config',
    'median_seconds',
    'peak_memory',
    'read_weights',
    'resolve_config',
    'run_child',
    'run_command',
    'scale_epochs',
    'seconds_of',
    'stop_request',
    'stoppable',
    'unwrap',
    'warn_user',
]
