"""Convert a public checkpoint into one of this library: the command ``mmtmix convert``."""

import sys

from mmtmix.cli.main import run_tool

if __name__ == '__main__':
    sys.exit(run_tool(__file__))
