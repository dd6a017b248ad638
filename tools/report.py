"""Write one HTML file about a run, or about several: the command ``mmtmix report``."""

import sys

from mmtmix.cli.main import run_tool

if __name__ == '__main__':
    sys.exit(run_tool(__file__))
