"""Reading configs the way people write them."""

from __future__ import annotations

import importlib
import os
from pathlib import Path

from mmengine.config import Config, ConfigDict

# default hooks that watch a run and change nothing of its result
_WATCHERS = ('finite_stop',)
_PACKAGE = Path(__file__).resolve().parent.parent


def resolve_config(path: str | os.PathLike) -> Path:
    """Find a config: as given, else among the configs that come with this library.

    Args:
        path: A path such as ``configs/simple/wrn28_cifar100.py``.

    Returns:
        The path of an existing file.

    Raises:
        FileNotFoundError: If there is no such file in any of those places.
    """
    path = Path(path)
    # a checkout has configs/ beside the package, a wheel has them in mmtmix/.mim
    places = [Path.cwd(), _PACKAGE.parent, _PACKAGE / '.mim']
    for place in places:
        if (place / path).is_file():
            return place / path
    raise FileNotFoundError(
        f'config {str(path)!r} was not found; looked in ' + ', '.join(str(p) for p in places)
    )


def load_config(path: str | os.PathLike, cfg_options: dict | None = None) -> Config:
    """Read a config file; ``custom_imports`` may be a plain list as well as MMEngine's dict.

    Args:
        path: Where :func:`resolve_config` finds it.
        cfg_options: Overrides in the form of ``--cfg-options``.

    Returns:
        The config, its custom imports done.

    Raises:
        FileNotFoundError: If the file does not exist.
        TypeError: If ``custom_imports`` is neither a list, a string nor a dict.
        ImportError: If a module in ``custom_imports`` can't be imported.
    """
    # MMEngine would unpack a list of imports as a mapping and fail, so import here
    cfg = Config.fromfile(str(resolve_config(path)), import_custom_modules=False)
    if cfg_options:
        cfg.merge_from_dict(cfg_options)
    imports = cfg.get('custom_imports')
    if not imports:
        return cfg
    if isinstance(imports, str):
        imports = [imports]
    if isinstance(imports, (list, tuple)):
        cfg.custom_imports = ConfigDict(imports=list(imports), allow_failed_imports=False)
    elif not isinstance(imports, dict) or 'imports' not in imports:
        raise TypeError(
            'custom_imports must be a list of module names or dict(imports=[...], '
            f'allow_failed_imports=False), got {imports!r} in {path}'
        )
    _import_all(cfg.custom_imports)
    return cfg


def without_watchers(content: dict) -> dict:
    """Return a config's content without hooks that no result depends on, for a digest.

    Args:
        content: As :meth:`mmengine.config.Config.to_dict` returns it; it is not changed.
    """
    hooks = content.get('default_hooks')
    if not isinstance(hooks, dict):
        return content
    kept = {name: hook for name, hook in hooks.items() if name not in _WATCHERS}
    return {**content, 'default_hooks': kept}


def _import_all(custom_imports: ConfigDict) -> None:
    names = custom_imports.imports
    for name in [names] if isinstance(names, str) else names:
        try:
            importlib.import_module(name)
        except ImportError:
            if not custom_imports.get('allow_failed_imports', False):
                raise
