"""How tests read the papers' configs and the list of their experiments."""

import ast
import copy
import os
from functools import cache
from pathlib import Path

import yaml

from mmtmix.utils import load_config

ROOT = Path(__file__).resolve().parents[2]
VARIANTS = ('DATASET', 'ABLATION', 'MASK_LAYERS', 'MASK_CHANNELS', 'MASK_KERNEL', 'ALPHA', 'PAIR')
EXPERIMENTS = yaml.safe_load((ROOT / 'configs' / 'experiments.yaml').read_text())


@cache
def _load(config, variant):
    return load_config(ROOT / config, variants=dict([variant] if variant else []))


def load(config, variant=()):
    """A config of one's own, with a variant, a name and a value, or by default without."""
    return copy.deepcopy(_load(config, variant))


def head_of(config):
    lines = []
    for line in (ROOT / config).read_text().splitlines():
        if not line.startswith('#'):
            break
        lines.append(line.lstrip('# '))
    return ' '.join(lines)


def bases_of(config):
    """The files that a config inherits from, as it writes them."""
    for line in ast.parse((ROOT / config).read_text()).body:
        if isinstance(line, ast.Assign) and line.targets[0].id == '_base_':
            named = ast.literal_eval(line.value)
            names = [named] if isinstance(named, str) else named
            return [
                os.path.normpath(os.path.join(os.path.dirname(config), name)) for name in names
            ]
    return []
