"""Getting the data sets: a table of them, and checking, fetching and unpacking their files."""

from .checks import check_contents, file_md5
from .contents import DataSet, Files, IdxFile, Listed, Source
from .deep import check_deeply
from .downloads import download
from .prepare import prepare
from .table import DATA_SETS
from .unpacking import unpack

__all__ = [
    'DATA_SETS',
    'DataSet',
    'Files',
    'IdxFile',
    'Listed',
    'Source',
    'check_contents',
    'check_deeply',
    'download',
    'file_md5',
    'prepare',
    'unpack',
]
