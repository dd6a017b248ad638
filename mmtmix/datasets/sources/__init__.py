"""The one table of data sets: their files, where they come from, and how they are checked."""

from .array_pickles import load_array_pickle, read_batch
from .checking import check_contents, check_deeply, file_md5
from .downloads import download
from .idx_files import find_idx_file, read_idx, unzip
from .layouts import Content, DataSet, Files, IdxFile, Listed, MatListed, Source
from .presence import missing_contents, missing_of_split
from .table import DATA_SETS, data_set_of
from .unpacking import unpack

__all__ = [
    'DATA_SETS',
    'Content',
    'DataSet',
    'Files',
    'IdxFile',
    'Listed',
    'MatListed',
    'Source',
    'check_contents',
    'check_deeply',
    'data_set_of',
    'download',
    'file_md5',
    'find_idx_file',
    'load_array_pickle',
    'missing_contents',
    'missing_of_split',
    'read_batch',
    'read_idx',
    'unpack',
    'unzip',
]
