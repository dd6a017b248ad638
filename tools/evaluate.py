"""Measure calibration, robustness and saliency: the command ``mmtmix evaluate``."""

import sys

from mmtmix.cli.main import run_tool

if __name__ == '__main__':
    sys.exit(run_tool(__file__))
