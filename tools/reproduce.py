"""Reproduce printed figures: the command ``mmtmix reproduce``."""

import sys

from mmtmix.cli.main import run_tool

if __name__ == '__main__':
    sys.exit(run_tool(__file__))
