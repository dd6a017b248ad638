"""A trained classifier with a test set of 24 images."""

from __future__ import annotations

import pytest
from mmengine.config import Config


@pytest.fixture
def trained(fitted_teacher):
    """Config and checkpoint of a small network, as two values."""
    cfg = Config(fitted_teacher['config'])
    cfg.test_dataloader.dataset.update(indices=24)
    cfg.test_dataloader.update(batch_size=10, num_workers=0)
    return cfg, fitted_teacher['checkpoint']
