"""Measure what mixing a batch costs, as ratios."""

import sys

from mmtmix.apps.benchmark.command import main
from mmtmix.utils import run_command

if __name__ == '__main__':
    sys.exit(run_command(main, __file__))
