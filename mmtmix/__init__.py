"""Learned sample mixing for MMPretrain.

Importing it registers everything: ``custom_imports=dict(imports=['mmtmix'],
allow_failed_imports=False)`` is all that a config needs.
"""

from .host import check_host
from .version import __version__

check_host()

from . import datasets, engine, evaluation, models  # noqa: E402

__all__ = ['__version__', 'datasets', 'engine', 'evaluation', 'models']
