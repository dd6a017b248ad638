#!/usr/bin/env bash
# Train under Slurm: one torchrun per node, one process per GPU.
#   tools/slurm_train.sh PARTITION JOB_NAME CONFIG [arguments of mmtmix train]
# NODES (1), GPUS_PER_NODE (8), CPUS_PER_TASK (5 per GPU), PORT (29500) and SRUN_ARGS change it.
set -euo pipefail
if [ $# -lt 3 ]; then
  sed -n '2,4s/^# //p' "$0" >&2
  exit 2
fi
partition=$1 job=$2 config=$3
shift 3
nodes=${NODES:-1} gpus=${GPUS_PER_NODE:-8} port=${PORT:-29500}
# only a shell inside the allocation can list its nodes, so srun's shell does it
# shellcheck disable=SC2016,SC2086
srun --partition="$partition" --job-name="$job" --nodes="$nodes" --ntasks-per-node=1 \
  --gres="gpu:$gpus" --cpus-per-task="${CPUS_PER_TASK:-$((5 * gpus))}" --kill-on-bad-exit=1 \
  ${SRUN_ARGS:-} bash -c '
    head=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)
    exec torchrun --nnodes="$1" --nproc_per_node="$2" --rdzv_backend=c10d \
      --rdzv_id="$SLURM_JOB_ID" --rdzv_endpoint="$head:$3" "${@:4}" --launcher pytorch
  ' _ "$nodes" "$gpus" "$port" -m mmtmix train "$config" "$@"
