"""Default work dirs of configs, one for each choice of variants."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmengine.config import Config

from .config import declared_variants
from .config_paths import plain_config
from .variants import label_of, not_default


def default_work_dir(config: str | os.PathLike, variants: Mapping[str, Any] | None = None) -> str:
    """Return ``work_dirs/<method>/<name>`` for ``configs/<method>/<name>.py``.

    The folder has the method, since each method has a ``wrn28_cifar100``. Variants that are no
    defaults are added: ``work_dirs/<method>/<name>-ABLATION=mask_only``.

    Args:
        config: Path of a config.
        variants: Values, or their texts, by name, as for :func:`load_config`.

    Raises:
        FileNotFoundError: If there are variants, but no such config.
        ValueError: If a variant doesn't fit the config.
    """
    return folder_of(config, not_default(declared_variants(config, variants)) if variants else {})


def work_dir_of(
    path: str | os.PathLike,
    cfg: Config,
    cfg_options: Mapping[str, Any] | None = None,
    variants: Mapping[str, Any] | None = None,
) -> str:
    """Return the work dir of a run for which none is given.

    Args:
        path: Path of the config.
        cfg: Content of the config. Its own ``work_dir`` takes precedence over the default one.
            Variants that are no defaults are added to it, so that no two settings share it.
        cfg_options: Overrides that it was read with; a ``work_dir`` among them is not changed.
        variants: Values, by name, of the variants that it was read with.
    """
    own = cfg.get('work_dir')
    if not own:
        return default_work_dir(path, variants)
    if not variants or 'work_dir' in (cfg_options or {}):
        return str(own)
    label = label_of(not_default(declared_variants(path, variants)))
    return f'{own}-{label}' if label else str(own)


def folder_of(config: str | os.PathLike, variants: Mapping[str, Any]) -> str:
    """Return the default work dir of a config with variants that are no defaults.

    Args:
        config: Path of a config, which is not read.
        variants: Values by name.
    """
    path = Path(plain_config(config)).with_suffix('')
    parts = path.parts
    if 'configs' in parts:
        last = len(parts) - 1 - parts[::-1].index('configs')
        folder = os.path.join('work_dirs', *parts[last + 1 :])
    elif path.is_absolute() or '..' in parts:
        folder = os.path.join('work_dirs', path.name)
    else:  # configs of one name in several folders are several
        folder = os.path.join('work_dirs', *parts)
    return f'{folder}-{label_of(variants)}' if variants else folder
