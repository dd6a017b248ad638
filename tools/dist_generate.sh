#!/usr/bin/env bash
# Generate mixed images with N processes of this machine, one per GPU.
#   tools/dist_generate.sh CONFIG N [arguments of mmtmix generate]
# More machines share the folder of the set. PYTHON, PORT, NNODES, MASTER_ADDR, NODE_RANK, RDZV_ID
# and MAX_RESTARTS are those of torchrun.sh.
set -euo pipefail
if [ $# -lt 2 ]; then
  sed -n '2,5s/^# //p' "$0" >&2
  exit 2
fi
config=$1 processes=$2
shift 2
# after --, torchrun leaves --num alone, which it would take for one of its own
exec bash "$(dirname "$0")/torchrun.sh" "$processes" \
  -m -- mmtmix generate "$config" --launcher pytorch "$@"
