"""Draw how a config's augment mixes real images: the command ``mmtmix visualize mix``."""

import sys

from mmtmix.cli.main import run_tool

if __name__ == '__main__':
    sys.exit(run_tool(__file__))
