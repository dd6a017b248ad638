"""How tests read the papers' configs and the list of their experiments."""

import ast
import copy
import os
from functools import lru_cache
from pathlib import Path

import yaml

from mmtmix.utils import load_config

ROOT = Path(__file__).resolve().parents[2]
EXPERIMENTS = yaml.safe_load((ROOT / 'configs' / 'experiments.yaml').read_text())


@lru_cache
def cached(config):
    return load_config(config)


def load(config):
    """A config as it is without environment variables; nobody may change it."""
    return copy.deepcopy(cached(config))


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
