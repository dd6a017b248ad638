"""Build everything of every run of a launch once, without data or weights, before the first one.

Serves the tools alone.
"""

from .rehearse import rehearse

__all__ = ['rehearse']
