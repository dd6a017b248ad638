"""f_m: the share of each image at each position."""

from __future__ import annotations

from torch import Tensor, nn

from mmtmix.checks import check_integer
from mmtmix.functional import join_maps


class MaskNetwork(nn.Module):
    """Convolutions that keep the map's size, on the warped CAMs (TransformMix, Eq. 3, Fig. 7).

    Args:
        num_mix: Number of images per mix, k >= 2.
        num_layers: Number of convolutions before the 1x1 one, >= 1.
        channels: Number of their channels, >= 1.
        kernel_size: Side of their kernels, odd.

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If the kernel is even or a number is not positive.
    """

    def __init__(
        self, num_mix: int, num_layers: int = 3, channels: int = 32, kernel_size: int = 3
    ):
        super().__init__()
        check_integer('num_mix', num_mix, 2)
        check_integer('num_layers', num_layers, 1)
        check_integer('channels', channels, 1)
        check_integer('kernel_size', kernel_size, 1)
        if kernel_size % 2 == 0:
            raise ValueError(f'kernel_size must be odd to keep the size, got {kernel_size!r}')
        layers: list[nn.Module] = []
        width = 2 * num_mix - 1
        for _ in range(num_layers):
            layers += [
                nn.Conv2d(width, channels, kernel_size, padding=kernel_size // 2),
                nn.ReLU(inplace=True),
            ]
            width = channels
        self.layers = nn.Sequential(*layers, nn.Conv2d(width, num_mix, kernel_size=1))

    def forward(self, saliency: Tensor, weights: Tensor) -> Tensor:
        """Predict mask logits.

        Args:
            saliency: Warped CAMs, (N, k, s, s).
            weights: Weight planes of the first k - 1 images, (N, k - 1, s, s).

        Returns:
            Logits of the masks before temperature and softmax, (N, k, s, s).
        """
        return self.layers(join_maps([saliency, weights]))
