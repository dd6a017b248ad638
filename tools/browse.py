"""Draw training batches as the network gets them: the command ``mmtmix browse``."""

import sys

from mmtmix.cli.main import run_tool

if __name__ == '__main__':
    sys.exit(run_tool(__file__))
