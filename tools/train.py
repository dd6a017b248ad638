"""Train a config, and first whatever it requires, in order."""

import sys

from mmtmix.apps.train.command import main
from mmtmix.utils import run_command

if __name__ == '__main__':
    sys.exit(run_command(main, __file__))
