"""Exports of a complete set, for loaders that read other formats."""

from .export_set import KINDS, check_export, export_set

__all__ = ['KINDS', 'check_export', 'export_set']
