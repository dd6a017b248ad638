"""f_s: the position of each image in the mix."""

from __future__ import annotations

from torch import Tensor, nn

from mmtmix.checks import check_integer
from mmtmix.functional import identity_theta, join_maps

# conv 7 - pool 2 - conv 5 - pool 2 leaves one pixel of this, and nothing of a smaller map
MIN_CAM_SIZE = 18


class SpatialTransformer(nn.Module):
    """Localisation network of Jaderberg et al. 2015 on k CAMs (TransformMix, Eq. 2).

    An addition of ours: it predicts the difference of theta from the identity, by a last layer of
    zeros. It starts at the identity as in the paper. With the identity as the initial bias, weight
    decay would pull it towards a collapsed image; here it pulls it to the identity.

    Args:
        num_mix: Number of images per mix, k >= 2.
        cam_size: Side of the CAMs, at least 18.

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If ``cam_size`` is too small for the two convolutions and poolings.
    """

    def __init__(self, num_mix: int, cam_size: int):
        super().__init__()
        check_integer('num_mix', num_mix, 2)
        cure = (
            'the spatial transformer takes no smaller CAMs; those of any image are resized to it'
        )
        check_integer('cam_size', cam_size, MIN_CAM_SIZE, cure=cure)
        self.num_mix = num_mix
        side = ((cam_size - 6) // 2 - 4) // 2
        self.localization = nn.Sequential(
            nn.Conv2d(2 * num_mix, 8, kernel_size=7),
            nn.MaxPool2d(2),
            nn.ReLU(inplace=True),
            nn.Conv2d(8, 10, kernel_size=5),
            nn.MaxPool2d(2),
            nn.ReLU(inplace=True),
            nn.Flatten(),
            nn.Linear(10 * side * side, 32),
            nn.ReLU(inplace=True),
        )
        self.fc = nn.Linear(32, 6 * num_mix)
        nn.init.zeros_(self.fc.weight)
        nn.init.zeros_(self.fc.bias)

    def forward(self, saliency: Tensor, weights: Tensor, noise: Tensor) -> Tensor:
        """Predict the affine parameters.

        Args:
            saliency: CAMs (N, k, s, s) in [0, 1], s = ``cam_size``.
            weights: Weight planes of the first k - 1 images, (N, k - 1, s, s).
            noise: Noise plane, (N, 1, s, s).

        Returns:
            theta, (N, k, 2, 3).
        """
        delta = self.fc(self.localization(join_maps([saliency, weights, noise])))
        # added in float32: next to 1, bfloat16 has steps of half a pixel of 128
        delta = delta.float().view(-1, self.num_mix, 2, 3)
        return identity_theta(delta.size(0), self.num_mix, like=delta) + delta
