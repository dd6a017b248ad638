"""Generate a data set of mixed images, to train on beside the clean ones."""

import sys

from mmtmix.apps.generate.command import main
from mmtmix.utils import run_command

if __name__ == '__main__':
    sys.exit(run_command(main, __file__))
