"""Turn a public checkpoint into one of this library."""

import sys

from mmtmix.apps.convert.command import main
from mmtmix.utils import run_command

if __name__ == '__main__':
    sys.exit(run_command(main, __file__))
