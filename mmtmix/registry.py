"""Make MMEngine and MMPretrain find this library by its name.

``_base_ = 'mmtmix::_base_/default_runtime.py'``: MMEngine resolves ``scope::path`` for the
packages in its table of scopes. It then builds what a config takes from such a base in a registry
of that scope. Everything of this library is registered into MMPretrain's registries. So the
registries here are empty and find everything in their parents.

``mmpretrain.get_model('transformmix_wrn28_cifar100')``: MMPretrain reads an index of models.

``load_from = 'mmtmix://wrn16_fashionmnist32'``: MMEngine loads weights of this library.
"""

from __future__ import annotations

from pathlib import Path

from mmengine.config.utils import MODULE2PACKAGE
from mmengine.registry import Registry
from mmpretrain import registry as host
from mmpretrain.apis.model import ModelHub

from mmtmix.utils.host_loading import register_scheme

SCOPE = 'mmtmix'

MODULE2PACKAGE.setdefault(SCOPE, SCOPE)

REGISTRIES = {
    name: Registry(parent.name, parent=parent, scope=SCOPE, locations=['mmtmix'])
    for name, parent in vars(host).items()
    if isinstance(parent, Registry) and parent.scope == 'mmpretrain'
}
"""Registries by the names of their parents in MMPretrain."""


def extend_model_hub() -> None:
    """Make MMPretrain's ``ModelHub`` read this library's index together with its own.

    :meth:`ModelHub.register_model_index` would parse all metafiles on import. MMPretrain reads its
    own index when a model is first requested. The method that reads it is extended here, so that
    importing this library reads no metafiles.
    """
    read_own = ModelHub._register_mmpretrain_models
    is_read = False

    def read_all(cls: type[ModelHub]) -> None:
        nonlocal is_read
        read_own()
        if not is_read:
            is_read = True
            folder = Path(__file__).parent / '.mim'
            cls.register_model_index(folder / 'model-index.yml', config_prefix=folder)

    ModelHub._register_mmpretrain_models = classmethod(read_all)


extend_model_hub()
register_scheme()
