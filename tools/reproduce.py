"""Reproduce printed figures: list them, run them, record them, report."""

import sys

from mmtmix.apps.reproduce.command import main
from mmtmix.utils import run_command

if __name__ == '__main__':
    sys.exit(run_command(main, __file__))
