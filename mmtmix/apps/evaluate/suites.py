"""The table of suites."""

from __future__ import annotations

from . import attacks, calibration, cam, corruptions, occlusion
from .suite import Suite

SUITES: dict[str, Suite] = {
    'calibration': calibration.SUITE,
    'corruptions': corruptions.SUITE,
    'fgsm': attacks.FGSM,
    'pgd': attacks.PGD,
    'occlusion': occlusion.SUITE,
    'cam': cam.SUITE,
}
"""The suites by name, in the order in which they run."""
