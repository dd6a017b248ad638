"""The version, apart from the package so that building needs no host framework."""

__version__ = '0.1.0'
