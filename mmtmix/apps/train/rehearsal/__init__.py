"""Build everything of every run of a launch once, without data or weights, before the first one.

Only the commands use this package.
"""

from .rehearse import rehearse

__all__ = ['rehearse']
