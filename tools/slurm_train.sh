#!/usr/bin/env bash
# Train under Slurm: one torchrun per node, one process per GPU. BATCH=1 submits by sbatch.
#   tools/slurm_train.sh PARTITION JOB_NAME CONFIG [arguments of mmtmix train]
# NODES (1), GPUS_PER_NODE (8), CPUS_PER_TASK (5 per GPU), GRACE (120 s) and SRUN_ARGS change it.
#
# A batch job that is preempted, or gets near its time limit, saves, is queued again and continues.
# PYTHON, PORT and MAX_RESTARTS are those of torchrun.sh. SBATCH_ARGS are more options of sbatch.
set -euo pipefail

# the tasks of the job, in its allocation
run_tasks() {
  # only a shell inside the allocation can list its nodes; the step's number tells launches apart
  # shellcheck disable=SC2016,SC2086
  srun --nodes="$nodes" --ntasks-per-node=1 --gres="gpu:$gpus" --cpus-per-task="$cpus" \
    --kill-on-bad-exit=1 "$@" ${SRUN_ARGS:-} bash -c '
      set -euo pipefail
      unset NODE_RANK
      read -r MASTER_ADDR < <(scontrol show hostnames "$SLURM_JOB_NODELIST")
      export MASTER_ADDR NNODES="$1" RDZV_ID="$SLURM_JOB_ID.$SLURM_STEP_ID"
      if [ "$NNODES" != 1 ]; then
        export PORT="${PORT:-$((20000 + SLURM_JOB_ID % 10000))}" # jobs may share a machine
      fi
      # torchrun would kill processes that take longer than 30 s to save
      export TORCH_ELASTIC_SHUTDOWN_TIMEOUT="$2"
      exec bash "${@:3}" --launcher pytorch
    ' _ "$nodes" "$grace" "$tools/torchrun.sh" "$gpus" -m mmtmix train "${train[@]}"
}

# the script of the batch job
run_job() {
  local code=0 is_stopped=0
  # tasks get the signal from scancel, since srun would end them at once
  trap 'is_stopped=1; scancel --signal=TERM "$SLURM_JOB_ID"' TERM
  run_tasks &
  while true; do
    code=0
    wait "$!" || code=$? # ends early at a signal
    kill -0 "$!" 2> /dev/null || break
  done
  if [ "$is_stopped" = 1 ] && [ "$code" != 0 ]; then
    scontrol requeue "$SLURM_JOB_ID"
  fi
  exit "$code"
}

if [ "${1:-}" = --in-job ]; then # sbatch runs a copy of this file, far from the other scripts
  tools=$2 nodes=$3 gpus=$4 cpus=$5 grace=$6
  train=("${@:7}")
  run_job
fi
if [ $# -lt 3 ]; then
  sed -n '2,4s/^# //p' "$0" >&2
  exit 2
fi
partition=$1 job=$2
train=("${@:3}")
tools=$(cd "$(dirname "$0")" && pwd)
nodes=${NODES:-1} gpus=${GPUS_PER_NODE:-8} grace=${GRACE:-120}
cpus=${CPUS_PER_TASK:-$((5 * gpus))}
allocation=(--partition="$partition" --job-name="$job")
if [ "${BATCH:-0}" = 0 ]; then
  run_tasks "${allocation[@]}" --signal="TERM@$grace"
else
  # shellcheck disable=SC2086
  exec sbatch "${allocation[@]}" --nodes="$nodes" --ntasks-per-node=1 --gres="gpu:$gpus" \
    --cpus-per-task="$cpus" --requeue --open-mode=append --signal="B:TERM@$grace" \
    ${SBATCH_ARGS:-} "$0" --in-job "$tools" "$nodes" "$gpus" "$cpus" "$grace" "${train[@]}"
fi
