"""The scope ``mmtmix``: ``_base_ = 'mmtmix::_base_/default_runtime.py'`` and what comes with it.

MMEngine resolves ``scope::path`` for packages that it knows by name. It then builds what a config
takes from such a base in a registry of that scope. Everything of this library is registered into
MMPretrain's registries, so the registries here are empty and find all in their parents.
"""

from __future__ import annotations

from mmengine.config.utils import MODULE2PACKAGE
from mmengine.registry import Registry
from mmpretrain import registry as host

SCOPE = 'mmtmix'

MODULE2PACKAGE.setdefault(SCOPE, SCOPE)

REGISTRIES = {
    name: Registry(parent.name, parent=parent, scope=SCOPE, locations=['mmtmix'])
    for name, parent in vars(host).items()
    if isinstance(parent, Registry) and parent.scope == 'mmpretrain'
}
"""Registries by the names that MMPretrain gives their parents."""
