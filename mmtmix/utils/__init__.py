"""Configs, files and checkpoints. Imports nothing else of this library."""

from .checkpoint import (
    UnsafeCheckpointError,
    describe_checkpoint,
    fetch_checkpoint,
    load_checkpoint,
    load_trusted,
)
from .command import (
    CommandParser,
    add_variant_argument,
    describe_error,
    launch_rank,
    run_command,
    warn_user,
)
from .config import (
    default_work_dir,
    load_config,
    resolve_config,
    without_watchers,
    work_dir_of,
)
from .files import (
    atomic_path,
    explaining_faults,
    file_digest,
    make_writable_folder,
    publish_file,
)
from .host_loading import add_trust_argument, load_safely
from .memory import peak_memory
from .outputs import check_device, check_output_file, check_output_folder
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
from .schedule import scale_epochs
from .stopping import Stopped, stop_request, stoppable
from .timing import median_seconds, seconds_of
from .weights import check_finite_weights, is_finite, read_weights, unwrap, without_masks

__all__ = [
    'AUTO',
    'DTYPES',
    'CommandParser',
    'Stopped',
    'UnsafeCheckpointError',
    'add_trust_argument',
    'add_variant_argument',
    'atomic_path',
    'autocast_as',
    'check_device',
    'check_dtype',
    'check_finite_weights',
    'check_output_file',
    'check_output_folder',
    'choose_dtype',
    'default_work_dir',
    'describe_checkpoint',
    'describe_error',
    'dtype_name',
    'explaining_faults',
    'fast_precision',
    'fetch_checkpoint',
    'file_digest',
    'is_faster_in_half',
    'is_finite',
    'launch_rank',
    'load_checkpoint',
    'load_config',
    'load_safely',
    'load_trusted',
    'make_writable_folder',
    'median_seconds',
    'peak_memory',
    'publish_file',
    'read_weights',
    'resolve_config',
    'run_command',
    'scale_epochs',
    'seconds_of',
    'stop_request',
    'stoppable',
    'unwrap',
    'warn_user',
    'without_masks',
    'without_watchers',
    'work_dir_of',
]
