#!/usr/bin/env bash
# Evaluate on N processes of this machine, one per GPU; without GPUs they run on gloo.
#   tools/dist_test.sh CONFIG CHECKPOINT N [arguments of mmtmix test]
# PYTHON, PORT, NNODES, MASTER_ADDR, NODE_RANK, RDZV_ID and MAX_RESTARTS are those of torchrun.sh.
set -euo pipefail
if [ $# -lt 3 ]; then
  sed -n '2,4s/^# //p' "$0" >&2
  exit 2
fi
config=$1 checkpoint=$2 processes=$3
shift 3
exec bash "$(dirname "$0")/torchrun.sh" "$processes" \
  -m mmtmix test "$config" "$checkpoint" --launcher pytorch "$@"
