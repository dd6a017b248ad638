#!/usr/bin/env bash
# Train on N processes of this machine, one per GPU; without GPUs they run on gloo.
#   tools/dist_train.sh CONFIG N [arguments of mmtmix train]
# PYTHON, PORT, NNODES, MASTER_ADDR, NODE_RANK, RDZV_ID and MAX_RESTARTS are those of torchrun.sh.
set -euo pipefail
if [ $# -lt 2 ]; then
  sed -n '2,4s/^# //p' "$0" >&2
  exit 2
fi
config=$1 processes=$2
shift 2
exec bash "$(dirname "$0")/torchrun.sh" "$processes" \
  -m mmtmix train "$config" --launcher pytorch "$@"
