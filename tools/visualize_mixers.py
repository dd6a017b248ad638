"""Draw what all mixers make of the same images, with the same shares."""

import sys

from mmtmix.apps.visualize.mixers import main
from mmtmix.utils import run_command

if __name__ == '__main__':
    sys.exit(run_command(main, __file__))
