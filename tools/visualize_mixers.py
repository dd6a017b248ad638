"""Draw the mixes of all augments from the same images: the command ``mmtmix visualize mixers``."""

import sys

from mmtmix.cli.main import run_tool

if __name__ == '__main__':
    sys.exit(run_tool(__file__))
