"""Generation of sets of mixed images before training."""

from .generate import generate, read_settings
from .pictures import write_pictures
from .settings import GenerationSettings, describe

__all__ = ['GenerationSettings', 'describe', 'generate', 'read_settings', 'write_pictures']
