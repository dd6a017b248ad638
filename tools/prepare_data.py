"""Check a data set's folder; unpack or download what is missing."""

import sys

from mmtmix.apps.prepare.command import main
from mmtmix.utils import run_command

if __name__ == '__main__':
    sys.exit(run_command(main, __file__))
