"""Configs, files and checkpoints; imports nothing else of this library."""

from mmtmix import needs_host  # noqa: F401

from .allocator import allocator_note, keep_freed_memory
from .checkpoint import (
    UnsafeCheckpointError,
    checkpoint_in_words,
    fetch_checkpoint,
    load_checkpoint,
    load_trusted,
)
from .command import describe_error, launch_rank, run_command, warn_user
from .config import load_config
from .config_paths import resolve_config
from .deprecation import current_value
from .files import (
    atomic_path,
    explaining_faults,
    file_digest,
    publish_file,
)
from .host_loading import load_safely
from .memory import peak_memory
from .outputs import (
    check_device,
    check_output_file,
    check_output_folder,
    make_writable_folder,
)
from .precision import (
    AUTO,
    DTYPES,
    autocast_as,
    check_dtype,
    choose_dtype,
    dtype_name,
    fast_precision,
    is_faster_in_half,
)
from .random_state import RandomState
from .schedule import scale_epochs
from .stopping import Stopped, stop_request, stoppable
from .timing import Timing, seconds_of, time_in_turns
from .weights import check_finite_weights, is_finite, read_weights, unwrap, without_masks
from .work_dirs import default_work_dir, work_dir_of

__all__ = [
    'AUTO',
    'DTYPES',
    'RandomState',
    'Stopped',
    'Timing',
    'UnsafeCheckpointError',
    'allocator_note',
    'atomic_path',
    'autocast_as',
    'check_device',
    'check_dtype',
    'check_finite_weights',
    'check_output_file',
    'check_output_folder',
    'checkpoint_in_words',
    'choose_dtype',
    'current_value',
    'default_work_dir',
    'describe_error',
    'dtype_name',
    'explaining_faults',
    'fast_precision',
    'fetch_checkpoint',
    'file_digest',
    'is_faster_in_half',
    'is_finite',
    'keep_freed_memory',
    'launch_rank',
    'load_checkpoint',
    'load_config',
    'load_safely',
    'load_trusted',
    'make_writable_folder',
    'peak_memory',
    'publish_file',
    'read_weights',
    'resolve_config',
    'run_command',
    'scale_epochs',
    'seconds_of',
    'stop_request',
    'stoppable',
    'time_in_turns',
    'unwrap',
    'warn_user',
    'without_masks',
    'work_dir_of',
]
