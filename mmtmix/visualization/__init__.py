"""Figures of mixes and of how they were made.

This package alone needs matplotlib, so no other part of the library imports it. Figures are drawn
without a display.
"""

from mmtmix import needs_host  # noqa: F401

from .comparison import draw_comparison
from .curves import plot_curves
from .gallery import draw_gallery
from .grid import check_format, save_figure
from .images import CHANNEL_ORDERS, denormalize
from .panel import LAYOUTS, draw_panel
from .real_images import RealImages, load_images
from .robustness import draw_bars, draw_lines, draw_pictures, draw_reliability
from .scalars import Scalars, read_scalars
from .sweep_figure import draw_sweep
from .sweeps import Sweep, sweep_lambda, sweep_temperature

__all__ = [
    'CHANNEL_ORDERS',
    'LAYOUTS',
    'RealImages',
    'Scalars',
    'Sweep',
    'check_format',
    'denormalize',
    'draw_bars',
    'draw_comparison',
    'draw_gallery',
    'draw_lines',
    'draw_panel',
    'draw_pictures',
    'draw_reliability',
    'draw_sweep',
    'load_images',
    'plot_curves',
    'read_scalars',
    'save_figure',
    'sweep_lambda',
    'sweep_temperature',
]
