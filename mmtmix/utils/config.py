"""Read configs, with their variants, options and custom imports."""

from __future__ import annotations

import importlib
import os
import traceback
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from types import FrameType
from typing import Any

from mmengine.config import Config, ConfigDict

from mmtmix.checks import check_keys

from .command import describe_error, warn_user
from .config_options import misspelt_options
from .config_paths import drop_own_scope, finding_own_bases, resolve_config
from .variants import Choice, Variant, choosing, current_choice, not_default


def load_config(
    path: str | os.PathLike,
    cfg_options: dict | None = None,
    variants: Mapping[str, Any] | None = None,
) -> Config:
    """Read a config file; ``custom_imports`` may be a plain list as well as MMEngine's dict.

    Options that name nothing in the config are added to it, as MMEngine does. If the config has
    something of a similar name, a warning is shown.

    Args:
        path: Path of the config, see :func:`resolve_config`.
        cfg_options: Overrides in the form of ``--cfg-options``.
        variants: Values, or their texts, by name, of variants that the config declares; the
            others have their defaults.

    Returns:
        The config, after its custom imports.

    Raises:
        FileNotFoundError: If the file, or one that it inherits from, does not exist.
        TypeError: If ``custom_imports`` is neither a list, a string nor a dict, or has other keys.
        ImportError: If a module in ``custom_imports`` can't be imported.
        ValueError: If the file is no valid config, with file and line. Or if a variant is unknown
            or its value is not allowed, with the allowed ones.
    """
    # imported here, since MMEngine would unpack a list of imports as a mapping and fail
    cfg, _ = _read_with(path, variants)
    if cfg_options:
        for warning in misspelt_options(cfg, cfg_options):
            warn_user(warning)
        _merge(cfg, cfg_options)
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
    check_keys('custom_imports', dict(cfg.custom_imports), ('imports', 'allow_failed_imports'))
    _import_all(cfg.custom_imports)
    return cfg


def declared_variants(
    path: str | os.PathLike, variants: Mapping[str, Any] | None = None
) -> dict[str, Variant]:
    """Return the variants of a config and of those that it requires, with the chosen values.

    Args:
        path: Path of the config, see :func:`resolve_config`.
        variants: Values, or their texts, by name, as for :func:`load_config`.

    Returns:
        Variants by name, in the order of declaration: of bases, of itself, of required configs.

    Raises:
        FileNotFoundError: If the file, or one that it inherits from, does not exist.
        ValueError: If the file is no valid config, or a variant doesn't fit it.
    """
    return _read_with(path, variants)[1]


def read_base(path: str | os.PathLike) -> ConfigDict:
    """Return the content of another config file, for use in a config below ``_base_``.

    MMEngine reads ``_base_`` first, so it cannot depend on a variant. The path of this call can.
    Variants that the other file declares are variants of the config that reads it.

    Args:
        path: Path relative to ``configs/``, such as ``'_base_/models/wrn16_2_cifar100.py'``.

    Returns:
        Variables of the file, including those of its own bases.

    Raises:
        FileNotFoundError: If there is no such file.
    """
    # beside the config that is being read, wherever that lies; its tree may be one of several
    beside = [parent / path for reader in _being_read() for parent in reader.parents]
    found = next(filter(Path.is_file, beside), None) or resolve_config(Path('configs', path))
    return Config.fromfile(str(found), import_custom_modules=False)._cfg_dict


def _being_read() -> Iterator[Path]:
    """Yield the configs that MMEngine is reading, the innermost first."""
    host = os.path.join('mmengine', 'config')
    for frame, _ in traceback.walk_stack(None):
        name = frame.f_locals.get('filename')
        if host in frame.f_code.co_filename and isinstance(name, str) and name.endswith('.py'):
            yield Path(name).resolve()


def required_variants(config: str | os.PathLike, values: Mapping[str, Any]) -> dict[str, Variant]:
    """Return the variants of a config that is required by the config that is being read.

    The required config has the values that were chosen for the requiring one, and its variants
    become variants of the requiring one.

    Args:
        config: Path of the required config.
        values: Values by name, in place of those of the requiring one.

    Returns:
        Variants by name.

    Raises:
        FileNotFoundError: If there is no such config.
        ValueError: If it does not declare a name in ``values``.
    """
    choice = current_choice()
    wanted = {**(choice.wanted if choice else {}), **{k: str(v) for k, v in values.items()}}
    cache = choice.cache if choice else {}
    key = (str(config), *sorted(wanted.items()))
    if key not in cache:
        with choosing(wanted, is_strict=False) as inner:
            _read(resolve_config(config))
        cache[key] = inner.variants
    declared = cache[key]
    for name in values:
        if name not in declared:
            raise ValueError(f'{config} declares no variant {name}, but {list(declared)}')
    if choice is not None:
        own = {name: each for name, each in declared.items() if name not in values}
        choice.required.append((str(config), own))
    return declared


def _read_with(
    path: str | os.PathLike, variants: Mapping[str, Any] | None
) -> tuple[Config, dict[str, Variant]]:
    """Read a config file with variants; return it and the variants that it declares."""
    found = resolve_config(path)
    try:
        with choosing(variants) as choice:
            cfg = _read(found)
        _check_literal_runs(cfg, choice)
    except ValueError as error:
        # an error of the choice itself, which is checked after the file was read
        named = str(error).startswith('config ')
        raise error if named else ValueError(f'config {str(path)!r}: {error}') from error
    return cfg, choice.variants


def _check_literal_runs(cfg: Config, choice: Choice) -> None:
    """Refuse variants that do not reach a required config, since its entry is written out.

    Raises:
        ValueError: If there is such a variant.
    """
    chosen = not_default(choice.declared)
    if not chosen:
        return
    passed_on = {config for config, _ in choice.required}
    for needed in cfg.get('requires') or ():
        config = needed.get('config') if isinstance(needed, Mapping) else None
        if not isinstance(config, str) or config in passed_on:
            continue
        lost = [name for name in declared_variants(config) if name in chosen]
        if lost:
            raise ValueError(
                f'variant {lost[0]} would not reach {config}, which declares it, too: its entry '
                "of requires is written out; write it by mmtmix.recipes.stage(config, 'last.pth')"
            )


_LAZY = (
    'it calls an imported function, and MMEngine runs no functions in a config that imports '
    "packages before _base_ is assigned; write _base_ = [...] as the file's first statement, with "
    'an empty list if it inherits from none'
)


def _read(path: Path) -> Config:
    """Read a config file, and name the file in all errors."""
    try:
        with finding_own_bases():
            cfg = Config.fromfile(str(path), import_custom_modules=False)
        drop_own_scope(cfg._cfg_dict)
        return cfg
    except FileNotFoundError as error:
        if error.filename is None:
            raise
        raise FileNotFoundError(
            f'config {str(path)!r} inherits from {str(error.filename)!r}, which does not exist'
        ) from error
    except ImportError as error:
        raise ImportError(f'config {_place(path, error)}: {error}') from error
    except Exception as error:  # a config is code, which may raise anything
        if type(error) is RuntimeError and not error.args:  # of MMEngine's LazyObject.__call__
            raise ValueError(f'config {_place(path, error)}: {_LAZY}') from error
        # a ValueError, such as that of a misspelt argument of a recipe, needs no name of its type
        kind = '' if isinstance(error, ValueError) else f'{type(error).__name__}: '
        raise ValueError(f'config {_place(path, error)}: {kind}{describe_error(error)}') from error


def _place(path: Path, error: Exception) -> str:
    """Return the file and line of a config where an error was raised, as far as possible."""
    named = str(path)
    if isinstance(error, SyntaxError):
        # MMEngine parses text without a file name; the name is a variable of its functions
        for frame, _ in _frames(error):
            name = frame.f_locals.get('filename')
            named = name if isinstance(name, str) and name.endswith('.py') else named
        return f'{named!r}' if error.lineno is None else f'{named!r}, line {error.lineno}'
    host = os.path.join('mmengine', 'config')
    frames = [(frame.f_code.co_filename, line) for frame, line in _frames(error)]
    for (caller, _), (file, line) in reversed(list(pairwise(frames))):
        # MMEngine runs the code of a config and of those that it inherits from
        if host in caller and host not in file and os.path.isfile(file):
            return f'{file!r}, line {line}'
    return repr(named)


def _frames(error: Exception) -> Iterator[tuple[FrameType, int]]:
    return traceback.walk_tb(error.__traceback__)


def _merge(cfg: Config, cfg_options: dict) -> None:
    try:
        cfg.merge_from_dict(cfg_options)
    except (AssertionError, KeyError, IndexError, TypeError, AttributeError) as error:
        options = ' '.join(f'{name}={value!r}' for name, value in cfg_options.items())
        raise ValueError(
            f'--cfg-options {options} does not fit the config: {describe_error(error)}'
        ) from error


def _import_all(custom_imports: ConfigDict) -> None:
    names = custom_imports.imports
    for name in [names] if isinstance(names, str) else names:
        try:
            importlib.import_module(name)
        except ImportError as error:
            if not custom_imports.get('allow_failed_imports', False):
                raise ImportError(
                    f'custom_imports names {name!r}, which cannot be imported: {error}'
                ) from error
