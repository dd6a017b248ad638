"""Mixing modules and inputs for their tests."""

import torch

from mmtmix.models import TransformMixer


def stirred(**settings):
    """A mixer whose every weight is random, the transformer's last layer too."""
    mixer = TransformMixer(**settings)
    if mixer.stn is not None:
        torch.nn.init.normal_(mixer.stn.fc.weight, std=0.1)
        torch.nn.init.normal_(mixer.stn.fc.bias, std=0.1)
    return mixer


def mix(mixer, images, *inputs):
    """A mix of the images (N, k, C, H, W), and its details with the warped images."""
    index = torch.arange(images.size(0) * images.size(1)).view(images.shape[:2]).to(images.device)
    batch = images.flatten(0, 1)
    mixed, details = mixer.mix(batch, index, *inputs)
    return mixed, dict(details, warped=mixer.warp_sources(batch, index, details['theta']))


def some_inputs(mixer, num_samples=3, shape=(3, 12, 20)):
    """Images, saliency, weights and noise for a mix."""
    k, size = mixer.num_mix, mixer.cam_size
    return (
        torch.randn(num_samples, k, *shape),
        torch.rand(num_samples, k, 1, size, size),
        torch.rand(num_samples, k).softmax(dim=1),
        mixer.draw_noise(num_samples),
    )
