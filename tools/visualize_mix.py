"""Draw how a config's mixer mixes real images of its data set."""

import sys

from mmtmix.apps.visualize.mix import main
from mmtmix.utils import run_command

if __name__ == '__main__':
    sys.exit(run_command(main, __file__))
