"""Check that the host frameworks are installed, recent enough and not installed twice.

The OpenMMLab stack comes as two distributions, upstream's and the maintained fork's, that share
their import names. So mmtmix cannot depend on either. It reads the metadata of what is installed,
and its errors contain the commands that cure them. Only a package without metadata is imported for
that.
"""

from __future__ import annotations

import importlib
import re
from importlib import metadata, util
from typing import NamedTuple


class Requirement(NamedTuple):
    """A package that mmtmix needs.

    Args:
        module: Import name.
        minimum: Oldest version that works.
        distributions: Names under which the package can be installed.
    """

    module: str
    minimum: str
    distributions: tuple[str, ...]


# In the order in which they import each other, so that the first problem is the cause.
REQUIREMENTS = (
    Requirement('torch', '2.6', ('torch',)),
    Requirement('mmengine', '0.10.4', ('mmengine', 'onedl-mmengine')),
    Requirement('mmcv', '2.0.1', ('mmcv', 'mmcv-lite', 'mmcv-full', 'onedl-mmcv')),
    Requirement('mmpretrain', '1.2.0', ('mmpretrain', 'onedl-mmpretrain')),
)

TORCH_HINT = 'PyTorch:\n    pip install -U "torch>=2.6" torchvision'
STACK_HINT = """\
One of the two distributions of the OpenMMLab stack, never both in one environment:
    pip install -U onedl-mmengine onedl-mmcv onedl-mmpretrain  # the maintained fork
    pip install -U mmengine mmcv-lite mmpretrain               # upstream"""


def check_host() -> None:
    """Check every requirement and report all problems at once.

    Raises:
        ImportError: If a package is missing, too old, or installed from two distributions. The
            message names each problem and the commands that cure it.
    """
    found = [(requirement, find_problem(requirement)) for requirement in REQUIREMENTS]
    problems = {requirement.module: problem for requirement, problem in found if problem}
    if not problems:
        return
    lines = ['mmtmix cannot work in this environment:']
    lines += [f'  - {problem}' for problem in problems.values()]
    lines += ['Install:']
    if 'torch' in problems:
        lines.append(TORCH_HINT)
    if problems.keys() - {'torch'}:
        lines.append(STACK_HINT)
    raise ImportError('\n'.join(lines))


def check_installed() -> None:
    """Check the requirements that are installed; a missing one is no error here.

    Raises:
        ImportError: If a package is too old, broken or installed twice; see :func:`check_host`.
    """
    if any(find_problem(each) for each in REQUIREMENTS if not is_missing(each)):
        check_host()


def missing_packages() -> list[str]:
    """Return the import names of the requirements that are not installed at all."""
    return [each.module for each in REQUIREMENTS if is_missing(each)]


def is_missing(requirement: Requirement) -> bool:
    """Return whether a package has neither an installed distribution nor a module.

    Args:
        requirement: Package to check.
    """
    # the metadata, which is slow to read, is needed for leftovers alone
    found = util.find_spec(requirement.module) or installed_versions(requirement.distributions)
    return not found


def find_problem(requirement: Requirement) -> str | None:
    """Return what is wrong with one package.

    Args:
        requirement: Package to check.

    Returns:
        One sentence, or None if nothing is wrong.
    """
    module, minimum, _ = requirement
    installed = installed_versions(requirement.distributions)
    if len(installed) > 1:
        names = sorted(installed)
        return (
            f'{module} is installed {len(names)} times, by {" and ".join(names)}, which overwrite '
            f'each other: run "pip uninstall {" ".join(names)}" before installing one of them'
        )
    if util.find_spec(module) is None:
        leftover = ''.join(f' (pip lists {name}, but its files are gone)' for name in installed)
        return f'{module} is not installed{leftover}: {minimum} or later is needed'
    name, version = next(iter(installed.items()), (module, ''))
    if not version:
        try:
            version = str(getattr(importlib.import_module(module), '__version__', 'unknown'))
        except Exception as error:  # whatever a half-installed package raises
            return f'{module} has no metadata and cannot be imported: {error!r}'
    if release(version) < release(minimum):
        return f'{name} {version} is too old: {minimum} or later is needed'
    return None


def installed_versions(distributions: tuple[str, ...]) -> dict[str, str]:
    """Return the versions of distributions by the metadata of the environment.

    Args:
        distributions: Names of distributions.

    Returns:
        The version of each that is installed; empty where its metadata holds none.
    """
    versions = {}
    for name in distributions:
        try:
            versions[name] = metadata.version(name) or ''
        except metadata.PackageNotFoundError:
            continue
        except KeyError:  # newer Pythons, where the metadata file is gone
            versions[name] = ''
    return versions


def release(version: str) -> tuple[int, ...]:
    """Return the first three numbers of a version.

    Pre-releases count as the release: builds of torch such as `2.4.0a0+git` are common.

    Args:
        version: For example `2.14.1+cpu`.

    Returns:
        Three integers, zeros where the version has none.
    """
    match = re.match(r'v?(\d+(?:\.\d+)*)', version)
    numbers = [int(number) for number in match.group(1).split('.')] if match else []
    return tuple((numbers + [0, 0, 0])[:3])
