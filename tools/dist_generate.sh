#!/usr/bin/env bash
# Generate mixed images with N processes of this machine, one per GPU.
#   tools/dist_generate.sh CONFIG N [arguments of mmtmix generate]
# More machines that share the folder of the set: run it on each, at any time. A process that dies
# does not end the others, which make its shards. The exit status is the worst one.
set -uo pipefail
if [ $# -lt 2 ] || ! [[ $2 =~ ^[1-9][0-9]*$ ]]; then
  sed -n '2,5s/^# //p' "$0" >&2
  exit 2
fi
config=$1 processes=$2
shift 2
# results depend on the number of threads; torchrun, too, sets 1
export OMP_NUM_THREADS="${OMP_NUM_THREADS:-1}"

pids=()
stopped=0
# programs that a script starts in the background ignore Ctrl-C, so SIGTERM stands for it
forward() {
  stopped=1
  [ ${#pids[@]} -eq 0 ] || kill -TERM "${pids[@]}" 2>/dev/null
}
trap forward TERM INT HUP

for ((rank = 0; rank < processes; rank++)); do
  [ "$stopped" -eq 0 ] || break
  RANK=$rank LOCAL_RANK=$rank "${PYTHON:-python}" -m mmtmix generate "$config" \
    --launcher pytorch "$@" &
  pids+=($!)
done

worst=0
for pid in ${pids[@]+"${pids[@]}"}; do
  while :; do
    before=$stopped
    wait "$pid"
    status=$?
    # a signal ends `wait`, and the process may still run
    if [ "$status" -gt 128 ] && kill -0 "$pid" 2>/dev/null; then
      continue
    fi
    if [ "$status" -gt 128 ] && [ "$stopped" -ne "$before" ]; then
      wait "$pid" # its own status, not that of the signal
      status=$?
      [ "$status" -ne 127 ] || status=143
    fi
    break
  done
  [ "$status" -le "$worst" ] || worst=$status
done
exit "$worst"
