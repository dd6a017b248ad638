#!/usr/bin/env bash
# Train on N processes of this machine, one per GPU; without GPUs they run on gloo.
#   tools/dist_train.sh CONFIG N [arguments of mmtmix train]
# More machines: set NNODES, NODE_RANK, MASTER_ADDR and PORT on each.
set -euo pipefail
if [ $# -lt 2 ]; then
  sed -n '2,4s/^# //p' "$0" >&2
  exit 2
fi
config=$1 processes=$2
shift 2
exec torchrun \
  --nnodes="${NNODES:-1}" --node_rank="${NODE_RANK:-0}" --nproc_per_node="$processes" \
  --master_addr="${MASTER_ADDR:-127.0.0.1}" --master_port="${PORT:-29500}" \
  -m mmtmix train "$config" --launcher pytorch "$@"
