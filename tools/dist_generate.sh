#!/usr/bin/env bash
# Generate mixed images with N processes of this machine, one per GPU.
#   tools/dist_generate.sh CONFIG N [arguments of mmtmix generate]
# More machines that share the folder of the set: set NNODES, NODE_RANK, MASTER_ADDR and PORT on
# each.
set -euo pipefail
if [ $# -lt 2 ]; then
  sed -n '2,5s/^# //p' "$0" >&2
  exit 2
fi
config=$1 processes=$2
shift 2
# after --, torchrun leaves --num alone, which it would take for one of its own
exec torchrun \
  --nnodes="${NNODES:-1}" --node_rank="${NODE_RANK:-0}" --nproc_per_node="$processes" \
  --master_addr="${MASTER_ADDR:-127.0.0.1}" --master_port="${PORT:-29500}" \
  -m -- mmtmix generate "$config" --launcher pytorch "$@"
