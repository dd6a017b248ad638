"""Pictures of mixes inside a run, drawn without matplotlib, which takes longer to import."""

from .backends import ImageBackends
from .capture import MixCapture
from .mix_lines import ClassNames
from .panel import draw_blocks
from .samples import MixBlock

__all__ = ['ClassNames', 'ImageBackends', 'MixBlock', 'MixCapture', 'draw_blocks']
