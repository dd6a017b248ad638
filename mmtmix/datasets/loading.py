"""Reading images from files, with an error that names the file."""

from __future__ import annotations

from mmcv.transforms import LoadImageFromFile
from mmpretrain.registry import TRANSFORMS


@TRANSFORMS.register_module()
class CheckedLoadImageFromFile(LoadImageFromFile):
    """MMCV's ``LoadImageFromFile`` that says which file is no image.

    OpenCV returns nothing for some damaged files and raises an error of its own for empty ones,
    and neither names the file. It still decodes most JPEGs that end too early, with grey in
    place of the rest; ``tools/prepare_data.py NAME --deep`` finds those.

    Args:
        **kwargs: The arguments of MMCV's ``LoadImageFromFile``.
    """

    @classmethod
    def channel_order(cls, imdecode_backend: str = 'cv2', **kwargs) -> str:
        """Return ``'bgr'``, in which MMCV decodes.

        Args:
            imdecode_backend: As in the constructor.
            **kwargs: The constructor's other arguments, unused.

        Raises:
            ValueError: If the backend is tifffile, for which MMCV keeps the order of the file.
        """
        if imdecode_backend == 'tifffile':
            raise ValueError("tifffile keeps the file's order")
        return 'bgr'

    def transform(self, results: dict) -> dict | None:
        """Load the image of ``results['img_path']``.

        Args:
            results: The item of the data set.

        Returns:
            The item with ``img``, ``img_shape`` and ``ori_shape``; None if the image cannot be
            read and ``ignore_empty`` is set.

        Raises:
            FileNotFoundError: If there is no such file.
            ValueError: If it is no image that can be decoded.
        """
        try:
            return super().transform(results)
        except FileNotFoundError:
            raise
        except Exception as error:  # what a decoder raises depends on which it is
            raise ValueError(
                f'{results["img_path"]} cannot be decoded as an image '
                f'({type(error).__name__}: {error}); it is damaged: unpack or fetch it again.'
            ) from error
