"""The mixing module of TransformMix: spatial transformer and mask network."""

from __future__ import annotations

import math
from typing import Any

import torch
from mmpretrain.registry import MODELS
from torch import Tensor, nn

from mmtmix.checks import check_choice, check_flag, check_integer, check_number
from mmtmix.functional import (
    PADDING_MODES,
    blend_batch,
    blend_warped,
    identity_theta,
    orient,
    orient_back,
    orient_theta_back,
    resize_map,
    warp,
)

from .mask_network import MaskNetwork
from .spatial_transformer import SpatialTransformer

TRANSFORMS = ('stn', 'none')
MASKS = ('network', 'softmax_cam')


@MODELS.register_module()
class TransformMixer(nn.Module):
    """Predicts how k images are warped and masked into one (TransformMix, section 3.1).

    Its input are CAMs alone, at a fixed size. So one module serves images of any size, and data on
    which it was not searched.

    Where defaults differ from the paper, they come from our experiments on Fashion-MNIST, in
    docs/evidence.md; ``mask_size`` saves time, and costs students nothing there. The module as
    published has ``noise_size=1``, ``padding_mode='zeros'``, ``mask_size=None``, and neither
    ``anchored``, ``random_orientation`` nor ``saliency_noise``.

    Where the paper is silent, four choices are ours, in every setting. Theta is predicted as a
    difference from the identity, so that weight decay pulls it there. The logarithm of the
    temperature is learned, which weight decay pulls to a temperature of 1. CAMs are scaled to
    [0, 1] before they are resized to ``cam_size``. Masks are made at ``mask_size`` and then
    resized to the images.

    Args:
        num_mix: Number of images per mix, k >= 2.
        cam_size: Side of the CAMs it works on; at least 18 with ``transform='stn'``.
        noise_size: Side of the noise grid that is resized to a plane; 1 is one number per sample.
        transform: Kind of transformation: ``'stn'``, or ``'none'`` for no warp (Table 4).
        mask: Kind of masks: ``'network'``, or ``'softmax_cam'`` for the softmax of the warped CAMs
            (Table 4).
        num_layers: Number of layers of the mask network, >= 1 (Figure 7a).
        channels: Number of channels of the mask network, >= 1 (Figure 7b).
        kernel_size: Kernel of the mask network, odd (Figure 7c).
        temperature: Initial softmax temperature, > 0; its logarithm is learned.
        padding_mode: Content outside of a warped image, see :func:`mmtmix.functional.warp`.
        anchored: Whether the weights bound the masks and theta, an addition of ours. The
            logarithms of the weights are added to the masks' logits. Equal logits are then Mixup,
            and an image with all the weight is almost alone. Theta's difference from the identity
            is scaled, from 0 at a weight of 1 to its full length at equal weights.
        random_orientation: Whether CAMs are turned to one of the eight orientations of a square,
            an addition of ours. It is drawn for each mix, and the predictions are turned back.
            Without it a module may learn one place per image, whatever the images show.
        saliency_noise: Standard deviation, >= 0, of noise on ``noise_size`` grids that is added to
            the CAMs, an addition of ours. Without it an image shows the same parts at each share,
            in any mix.
        mask_size: Side of the maps from which masks are made, >= 1, or None for ``cam_size``. A
            side above ``cam_size`` counts as ``cam_size``. An addition of ours: CAMs themselves
            are coarser, 8x8 for images of 32x32.

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If an argument is out of its range.
    """

    def __init__(
        self,
        num_mix: int = 2,
        cam_size: int = 32,
        noise_size: int = 4,
        transform: str = 'stn',
        mask: str = 'network',
        num_layers: int = 3,
        channels: int = 32,
        kernel_size: int = 3,
        temperature: float = 1.0,
        padding_mode: str = 'border',
        anchored: bool = True,
        random_orientation: bool = True,
        saliency_noise: float = 0.5,
        mask_size: int | None = 16,
    ):
        super().__init__()
        check_choice('transform', transform, TRANSFORMS)
        check_choice('mask', mask, MASKS)
        check_choice('padding_mode', padding_mode, PADDING_MODES)
        check_integer('num_mix', num_mix, 2)
        sizes = dict(cam_size=cam_size, noise_size=noise_size, num_layers=num_layers)
        for name, value in dict(sizes, channels=channels, kernel_size=kernel_size).items():
            check_integer(name, value, 1)
        if mask_size is not None:
            check_integer('mask_size', mask_size, 1, cure='None takes that of the CAMs')
        check_number('temperature', temperature, above=0)
        check_flag('anchored', anchored)
        check_flag('random_orientation', random_orientation)
        cure = 'it is a standard deviation beside saliency in [0, 1]'
        check_number('saliency_noise', saliency_noise, 0, cure=cure)
        # mixer.pth holds these arguments, by which a module is made again
        self.arch: dict[str, Any] = dict(
            num_mix=num_mix,
            cam_size=cam_size,
            noise_size=noise_size,
            transform=transform,
            mask=mask,
            num_layers=num_layers,
            channels=channels,
            kernel_size=kernel_size,
            temperature=temperature,
            padding_mode=padding_mode,
            anchored=anchored,
            random_orientation=random_orientation,
            saliency_noise=saliency_noise,
            mask_size=mask_size,
        )
        self.num_mix = num_mix
        self.cam_size = cam_size
        self.mask_size = cam_size if mask_size is None else min(mask_size, cam_size)
        self.noise_size = noise_size
        self.padding_mode = padding_mode
        self.anchored = anchored
        self.random_orientation = random_orientation
        self.saliency_noise = saliency_noise
        # the transformer's plane, three signs that choose an orientation, the CAMs' noise
        self._noise_channels = (
            1,
            3 * self.random_orientation,
            num_mix * (self.saliency_noise > 0),
        )
        self.stn = SpatialTransformer(num_mix, cam_size) if transform == 'stn' else None
        self.mask_network = (
            MaskNetwork(num_mix, num_layers, channels, kernel_size) if mask == 'network' else None
        )
        # ours: the logarithm keeps it positive, and weight decay pulls it to 1
        self.log_temperature = nn.Parameter(torch.tensor(math.log(temperature)))

    @property
    def temperature(self) -> Tensor:
        """The softmax temperature tau, > 0; lower is sharper (Figure 4)."""
        return self.log_temperature.exp()

    def draw_noise(self, num_samples: int, generator: torch.Generator | None = None) -> Tensor:
        """Draw the noise of mixes.

        Args:
            num_samples: Number of mixes N, >= 0.
            generator: Source of randomness, whose device makes the noise.

        Returns:
            (N, C, noise_size, noise_size), N(0, I): z for the transformer, and where they are
            switched on 3 channels whose signs choose the orientation and k to add to the CAMs.

        Raises:
            TypeError: If an argument is of another type.
            ValueError: If an argument is out of its range.
        """
        check_integer('num_samples', num_samples, 0)
        return torch.randn(
            (num_samples, sum(self._noise_channels), self.noise_size, self.noise_size),
            generator=generator,
            device=generator.device if generator is not None else None,
        )

    def redraw_z(self, noise: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Return noise that differs in the transformer's plane z alone.

        Signs and the noise on the CAMs stay. So predictions differ only as far as they follow z.

        Args:
            noise: Noise from :meth:`draw_noise`.
            generator: Source of randomness, whose device makes z.

        Returns:
            Noise of the same shape, on the same device.

        Raises:
            ValueError: If the module has no transformer, the only part that reads z.
        """
        if self.stn is None:
            raise ValueError("a module with transform='none' reads no z; set transform='stn'")
        z = torch.randn(
            (len(noise), 1, self.noise_size, self.noise_size),
            generator=generator,
            device=generator.device if generator is not None else None,
        )
        return torch.cat([z.to(noise.device, non_blocking=True), noise[:, 1:]], dim=1)

    def forward(self, saliency: Tensor, weights: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
        """Predict transformations and masks (Eq. 2 and 3).

        Args:
            saliency: CAMs of the k images in [0, 1], (N, k, 1, cam_size, cam_size).
            weights: Shares of the images, (N, k), rows on the simplex.
            noise: Noise from :meth:`draw_noise`.

        Returns:
            theta (N, k, 2, 3) and masks (N, k, 1, mask_size, mask_size) that sum to 1 over k.
        """
        noise, signs, added = noise.split(self._noise_channels, dim=1)
        # in one call: on a GPU each is a launch, on a CPU a pass
        noise, added = resize_map(torch.cat([noise, added], dim=1), self.cam_size).split(
            (1, added.size(1)), dim=1
        )
        if self.saliency_noise > 0:
            saliency = torch.add(saliency, added.unsqueeze(2), alpha=self.saliency_noise)
        if not self.random_orientation:
            return self._predict(saliency, weights, noise)
        orientation = signs[..., 0, 0] > 0
        theta, masks = self._predict(orient(saliency, orientation), weights, noise)
        return orient_theta_back(theta, orientation), orient_back(masks, orientation)

    def _predict(self, saliency: Tensor, weights: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
        maps = saliency.squeeze(2)
        planes = weights[:, :-1, None, None].to(maps.dtype)
        if self.stn is None:
            theta = identity_theta(weights.size(0), weights.size(1), like=maps)
            maps = resize_map(maps, self.mask_size)
        else:
            theta = self.stn(maps, planes.expand(-1, -1, *maps.shape[-2:]), noise.to(maps.dtype))
            if self.anchored:
                identity = identity_theta(weights.size(0), weights.size(1), like=theta)
                theta = torch.lerp(identity, theta, self._freedom(weights)[..., None, None, None])
            # the same points of the CAMs that a resized warp would show
            maps = warp(saliency, theta, size=self.mask_size).squeeze(2)
        logits = maps
        if self.mask_network is not None:
            logits = self.mask_network(maps, planes.expand(-1, -1, *maps.shape[-2:]))
        logits = logits.float() / self.temperature
        if self.anchored:
            # not 0, whose logarithm would leave a mask no gradient
            logits = logits + weights.clamp_min(1e-6).log()[..., None, None]
        return theta, torch.softmax(logits, dim=1).unsqueeze(2)

    def _freedom(self, weights: Tensor) -> Tensor:
        """Return how evenly k images share, (N,): 0 if one has all, 1 at equal weights."""
        return (1 - weights.amax(dim=1)) * self.num_mix / (self.num_mix - 1)

    def mix(
        self, images: Tensor, index: Tensor, saliency: Tensor, weights: Tensor, noise: Tensor
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Mix images of a batch by what :meth:`forward` predicts (Eq. 1).

        Args:
            images: Images of the batch, (N, C, H, W).
            index: Positions of the images of each mix, int64 (M, k).
            saliency: CAMs of the images of each mix in [0, 1], (M, k, 1, cam_size, cam_size).
            weights: Shares of the images of each mix, (M, k), rows on the simplex.
            noise: Noise from :meth:`draw_noise`.

        Returns:
            The mixes (M, C, H, W) in the dtype of ``images``, and what made them: ``theta``
            (M, k, 2, 3) and ``masks`` (M, k, 1, H, W). :meth:`warp_sources` gives the images that
            were blended.
        """
        theta, masks = self(saliency, weights, noise)
        # upsampling keeps the sum at 1 and costs a fraction of a network at full size
        size = (images.size(-2), images.size(-1))
        masks = resize_map(masks.squeeze(2), size).unsqueeze(2)
        if self.stn is None:
            wide = torch.promote_types(images.dtype, masks.dtype)
            mixed = blend_batch(images.to(wide), index, masks)
        else:
            mixed = blend_warped(images, index, theta, masks, self.padding_mode)
        return mixed.to(images.dtype), dict(theta=theta, masks=masks)

    def warp_sources(self, images: Tensor, index: Tensor, theta: Tensor) -> Tensor:
        """Return the images of each mix where they lie in it.

        Args:
            images: Images of the batch, (N, C, H, W).
            index: Positions of the images of each mix, int64 (M, k).
            theta: Parameters of their warps, (M, k, 2, 3).

        Returns:
            Warped images, (M, k, C, H, W), in the dtype of ``images``.
        """
        chosen = images.index_select(0, index.flatten()).unflatten(0, index.shape)
        return chosen if self.stn is None else warp(chosen, theta, self.padding_mode)
