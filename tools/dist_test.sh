#!/usr/bin/env bash
# Evaluate on N processes of this machine, one per GPU; without GPUs they run on gloo.
#   tools/dist_test.sh CONFIG CHECKPOINT N [arguments of mmtmix test]
# More machines: set NNODES, NODE_RANK, MASTER_ADDR and PORT on each.
set -euo pipefail
if [ $# -lt 3 ]; then
  sed -n '2,4s/^# //p' "$0" >&2
  exit 2
fi
config=$1 checkpoint=$2 processes=$3
shift 3
exec torchrun \
  --nnodes="${NNODES:-1}" --node_rank="${NODE_RANK:-0}" --nproc_per_node="$processes" \
  --master_addr="${MASTER_ADDR:-127.0.0.1}" --master_port="${PORT:-29500}" \
  -m mmtmix test "$config" "$checkpoint" --launcher pytorch "$@"
