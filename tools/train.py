"""Train a config, and first the stages that it requires: the command ``mmtmix train``."""

import sys

from mmtmix.cli.main import run_tool

if __name__ == '__main__':
    sys.exit(run_tool(__file__))
