#!/usr/bin/env bash
# Start N processes on this machine by torchrun, one per GPU.
#   tools/torchrun.sh N [options of torchrun] -m MODULE|SCRIPT [its arguments]
# PYTHON (python on PATH) is the interpreter, of any environment. PORT is a free one by default.
# Several machines: set NNODES and MASTER_ADDR on each, and NODE_RANK or RDZV_ID. MAX_RESTARTS: 0.
set -euo pipefail
fail() {
  printf '%s: %s\n' "${0##*/}" "$1" >&2
  exit 2
}
if [ $# -lt 2 ]; then
  sed -n '2,5s/^# //p' "$0" >&2
  exit 2
fi
processes=$1
shift
[[ $processes =~ ^[1-9][0-9]*$ ]] || fail "the number of processes must be at least 1, got $processes"

# torchrun of the same environment, whether or not that is activated
python=${PYTHON:-}
for name in python python3; do
  if [ -z "$python" ] && command -v "$name" > /dev/null; then
    python=$name
  fi
done
if [ -z "$python" ]; then
  fail "neither python nor python3 is on PATH; activate the environment, or set PYTHON"
elif ! command -v "$python" > /dev/null; then
  fail "PYTHON=$python is no program; set it to an interpreter such as .venv/bin/python"
fi

nodes=${NNODES:-1} restarts=${MAX_RESTARTS:-0}
[[ $nodes =~ ^[1-9][0-9]*(:[1-9][0-9]*)?$ ]] || fail "NNODES=$nodes must be a number such as 2, or a range such as 1:4"
[[ $restarts =~ ^[0-9]+$ ]] || fail "MAX_RESTARTS=$restarts must be a number >= 0"
options=(--nnodes="$nodes" --nproc_per_node="$processes" --max_restarts="$restarts")
if [ "$nodes" = 1 ] && [ -n "${PORT:-}" ]; then
  options+=(--master_addr=127.0.0.1 --master_port="$PORT")
elif [ "$nodes" = 1 ] && [ -n "${RDZV_ID:-}" ]; then
  options+=(--rdzv_backend=c10d --rdzv_endpoint=localhost:0 --rdzv_id="$RDZV_ID")
elif [ "$nodes" = 1 ]; then
  options+=(--standalone) # a free port, so that two launches on this machine don't meet
elif [ -z "${MASTER_ADDR:-}" ]; then
  fail "NNODES=$nodes needs MASTER_ADDR, the name or address of one of the machines, on each"
elif [ -n "${NODE_RANK:-}" ]; then
  if [ "$restarts" != 0 ] || [[ $nodes == *:* ]]; then
    fail "NNODES=$nodes with MAX_RESTARTS=$restarts cannot fix ranks; unset NODE_RANK and set RDZV_ID, a new name of this launch, the same on each machine"
  fi
  options+=(--node_rank="$NODE_RANK" --master_addr="$MASTER_ADDR" --master_port="${PORT:-29500}")
elif [ -z "${RDZV_ID:-}" ]; then
  fail "NNODES=$nodes needs NODE_RANK (0 on MASTER_ADDR, then 1, ...), or RDZV_ID, a new name of this launch, the same on each machine"
else
  options+=(--rdzv_backend=c10d --rdzv_endpoint="$MASTER_ADDR:${PORT:-29500}" --rdzv_id="$RDZV_ID")
fi
# restarted processes would read addresses of dead ones in a shared store (pytorch issue 135712)
export TORCH_DISABLE_SHARE_RDZV_TCP_STORE="${TORCH_DISABLE_SHARE_RDZV_TCP_STORE:-1}"
exec "$python" -m torch.distributed.run "${options[@]}" "$@"
