#!/usr/bin/env bash
# Check on a GPU whether this library is right, how fast it is, and whether mixing pays.
#   tools/gpu_check.sh [right] [fast] [pays] [options]
# Parts, all of them by default, each run even if one before it fails:
#   right  tests of tests/test_cuda and of every method's training, and beside them the teacher and
#          the searches that `pays` needs
#   fast   images per second of training steps, and every mixer, to one JSON file per setting
#   pays   runs of the table gpu/wide of configs/experiments_fashionmnist.yaml, side by side
# Options:
#   --device cuda|cpu  cpu tries the script with tiny budgets
#   --out FOLDER       logs, JSON files and records (work_dirs/gpu_check by default)
#   --seconds R,F,P    time limits of the parts (120,110,270 by default); `right` waits up to 40 more
#                      for the teacher and the searches
#   --archive FILE     one file of all that (gpu_check.tar.gz in that folder), renewed after each part
#   --jobs N           runs side by side in `pays` (14 by default)
#   --python PROGRAM   python3 by default
# Fashion-MNIST's four files must be in data/fashion_mnist for `pays`. What is done is kept, so a
# second call goes on. The exit status is that of the worst part.
set -uo pipefail
cd "$(dirname "$0")/.."

device=cuda out=work_dirs/gpu_check seconds=120,110,270 jobs=14 python=python3 archive='' parts=()
while [ $# -gt 0 ]; do
  case $1 in
    right | fast | pays) parts+=("$1"); shift; continue ;;
    --device | --out | --archive | --seconds | --jobs | --python) ;;
    *) sed -n '2,21s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
  esac
  if [ $# -lt 2 ]; then echo "$1 needs a value" >&2; exit 2; fi
  case $1 in
    --device) device=$2 ;; --out) out=$2 ;; --seconds) seconds=$2 ;;
    --archive) archive=$(realpath -m "$2") ;;
    --jobs) jobs=$2 ;; --python) python=$2 ;;
  esac
  shift 2
done
case $device in cuda | cpu) ;; *) echo "--device must be cuda or cpu, got '$device'" >&2; exit 2 ;; esac
if ! [[ $seconds =~ ^[0-9]+,[0-9]+,[0-9]+$ ]]; then
  echo "--seconds must be three numbers such as 120,110,270, got '$seconds'" >&2; exit 2
fi
if ! [[ $jobs =~ ^[1-9][0-9]*$ ]]; then echo "--jobs must be >= 1, got '$jobs'" >&2; exit 2; fi
[ ${#parts[@]} -gt 0 ] || parts=(right fast pays)
IFS=, read -r right_seconds fast_seconds pays_seconds <<< "$seconds"

mkdir -p "$out" && out=$(cd "$out" && pwd)
archive=${archive:-$out/gpu_check.tar.gz}
export OMP_NUM_THREADS=1 PYTHONUNBUFFERED=1 PYTHONWARNINGS=ignore
export PYTHONPATH="$PWD${PYTHONPATH:+:$PYTHONPATH}"
grid=(tools/reproduce.py --experiments configs/experiments_fashionmnist.yaml --root work_dirs/gpu)
setting=(DATASET=scattered NET=wrn16_4)
searches=(noisy_mask_only noisy noisy_softmax_cam)
methods=(simple cutmix_half mask_only mixup_half transformmix fmix_half softmax_cam)
seeds=(20 21 22 23 24 25 26 27)
label=DATASET=scattered,NET=wrn16_4
teacher=work_dirs/simple/teacher_grid_fashionmnist-$label/last.pth
where=$PWD few=()
if [ "$device" = cpu ]; then
  # a try: few epochs, in a folder of its own, so that nothing takes its weights for trained ones
  setting=(DATASET=scattered) searches=(noisy_mask_only) methods=(simple mask_only)
  seeds=(20) teacher=${teacher/,NET=wrn16_4/} where=$out/try
  few=(--cfg-options train_cfg.max_epochs=1 train_cfg.val_interval=1 val_dataloader.dataset.indices=100)
  mkdir -p "$where" && ln -sfn "$PWD/configs" "$PWD/tools" "$PWD/data" "$where"
  grid[2]=try.yaml
  short='train_cfg.max_epochs: 1, train_cfg.val_interval: 1, val_dataloader.dataset.indices: 100'
  cat > "$where/try.yaml" << END
gpu/wide/1000:
  against: [simple]
  seeds: [20]
  cells:
    simple:
      config: configs/simple/grid_fashionmnist.py
      variants: {DATASET: scattered}
      options: {$short}
    mask_only:
      config: configs/transformmix/grid_fashionmnist.py
      variants: {DATASET: scattered, SEARCH: noisy_mask_only}
      options: {$short}
END
fi

note() { printf '%s  %s\n' "$(date -u +%T)" "$*" | tee -a "$out/log.txt"; }

limited() {  # SECONDS COMMAND...: stop it in time, and a little later for good
  local limit=$1; shift
  if [ "$limit" -lt 1 ]; then return 124; fi
  timeout --kill-after=10 "$limit" "$@"
}

describe_machine() {
  {
    if [ "$device" = cuda ]; then
      nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader
    fi
    "$python" -c 'import platform, torch, torchvision, numpy
print("python", platform.python_version(), "numpy", numpy.__version__)
print("torch", torch.__version__, "torchvision", torchvision.__version__, "cuda", torch.version.cuda)'
    lscpu | grep -E '^(Model name|CPU\(s\)|Thread)'
  } > "$out/machine.txt" 2>&1
  cat "$out/machine.txt"
}

train_one() {  # CONFIG VARIANT...: train it in the setting, in place of this shell
  local config=$1; shift
  cd "$where" && exec "$python" tools/train.py "$config" --resume --variant "${setting[@]}" "$@" "${few[@]}"
}

prepare() {  # the teacher, then all searches at once
  if [ ! -f "$where/$teacher" ]; then
    note 'pays: the teacher is trained'
    if ! (train_one configs/simple/teacher_grid_fashionmnist.py) > "$out/teacher.log" 2>&1; then
      note "pays: the teacher failed: $(tail -n 1 "$out/teacher.log")"
      return 1
    fi
  fi
  local name waiting=() bad=0
  for name in "${searches[@]}"; do
    (train_one configs/transformmix/search_grid_fashionmnist.py "SEARCH=$name") \
      > "$out/search_$name.log" 2>&1 &
    waiting+=($!)
  done
  for name in "${waiting[@]}"; do wait "$name" || bad=1; done
  note "pays: teacher and searches ended, status $bad"
  return $bad
}

right() {
  local status=0 preparing='' workers=(-n 4 --dist worksteal) chosen=()
  if [ "$device" = cpu ]; then workers=() chosen=(-k 'teachers or CutMix or simple'); fi
  if [ -d data/fashion_mnist ]; then prepare & preparing=$!; fi
  limited "$right_seconds" "$python" -m pytest -q tests/test_cuda tests/test_methods_train.py -m 'cuda or host' \
    --device "$device" --tb=short -p no:cacheprovider --durations=10 "${workers[@]}" "${chosen[@]}" \
    > "$out/right.log" 2>&1 || status=$?
  note "right: status $status, $(tail -n 1 "$out/right.log")"
  if [ -n "$preparing" ]; then
    local end=$((start + right_seconds + 40))
    while kill -0 "$preparing" 2> /dev/null && [ "$(date +%s)" -lt "$end" ]; do sleep 1; done
    # what is not done goes on in `pays`
    if kill -0 "$preparing" 2> /dev/null; then
      note 'right: teacher or searches are not done'
      pkill -TERM -P "$preparing" || true
      kill "$preparing" 2> /dev/null
    fi
    wait "$preparing" 2> /dev/null
  fi
  return $status
}

measure() {  # NAME OPTIONS...: one run of the benchmark, unless the time of the part is over
  local name=$1 left=$((start + fast_seconds - $(date +%s))); shift
  local small=()
  if [ "$device" = cpu ]; then small=(--repeats 1 --batch-size 4 --image-size 18); fi
  if [ "$left" -lt 10 ]; then note "fast: no time left for $name"; return 0; fi
  limited "$left" "$python" tools/benchmark_mixers.py --device "$device" --tf32 \
    --json "$out/fast_$name.json" "$@" "${small[@]}" > "$out/fast_$name.log" 2>&1
  local status=$?
  note "fast: $name, status $status"
  if [ $status -ne 0 ]; then tail -n 5 "$out/fast_$name.log"; worst=$status; fi
}

fast() {
  local worst=0 bf16=(--dtype bfloat16 --topics steps) mixers=(--topics steps blind learned)
  local known=(--config configs/simple/teacher_grid_fashionmnist.py --checkpoint "$where/$teacher"
    --variant "${setting[@]}")
  if [ "$device" = cpu ]; then
    measure wrn16_1 --teacher wrn16_1 --topics steps
    if [ -f "$where/$teacher" ]; then measure trained "${known[@]}" --topics steps; fi
    return $worst
  fi
  measure table5 --preset table5
  measure wrn28_10 --teacher wrn28_10 "${mixers[@]}" --num-classes 100
  if [ -f "$where/$teacher" ]; then
    measure trained "${known[@]}" "${mixers[@]}" supermix
    measure trained_bf16 "${known[@]}" "${bf16[@]}"
  else
    note "fast: SuperMix is left out, there is no $teacher"
  fi
  measure resnet18_224 --teacher resnet18 --image-size 224 --batch-size 64 "${mixers[@]}" --repeats 3
  measure wrn28_10_bf16 --teacher wrn28_10 "${bf16[@]}"
  measure wrn16_1_bf16 --teacher wrn16_1 "${bf16[@]}"
  measure wrn16_1 --teacher wrn16_1 --topics steps
  measure resnet50_224_bf16 --teacher resnet50 --image-size 224 --batch-size 64 "${bf16[@]}"
  measure resnet18_224_bf16 --teacher resnet18 --image-size 224 --batch-size 64 "${bf16[@]}"
  measure resnet18_cifar_bf16 --teacher resnet18_cifar "${bf16[@]}"
  measure resnet18_cifar --teacher resnet18_cifar --topics steps
  measure loader --topics loader
  return $worst
}

pays() {
  if [ ! -d data/fashion_mnist ]; then note 'pays: data/fashion_mnist is missing'; return 1; fi
  local status=0 preparing
  prepare & preparing=$!  # runs that need what is being made wait for it
  for seed in "${seeds[@]}"; do
    for method in "${methods[@]}"; do echo "$method $seed"; done
  done > "$out/queue.txt"
  # timeout ends the whole group of processes; what they have is saved
  (cd "$where" && limited $((start + pays_seconds - 25 - $(date +%s))) \
    xargs -P "$jobs" -L 1 bash -c '
      out=$1 python=$2 method=${@: -2:1} seed=${@: -1}
      "$python" "${@:3:$#-4}" run "gpu/wide/1000/$method" --seed "$seed" \
        > "$out/run_${method}_$seed.log" 2>&1
      echo "$(date -u +%T)  pays: $method $seed, status $?"' \
    _ "$out" "$python" "${grid[@]}") < "$out/queue.txt" >> "$out/pays.log" 2>&1
  note "pays: the runs ended, status $? (124: their time was over)"
  kill "$preparing" 2> /dev/null
  cd "$where" || return 1
  "$python" "${grid[@]}" export gpu --results "$out/runs.jsonl" >> "$out/pays.log" 2>&1 || status=1
  "$python" "${grid[@]}" report gpu --results "$out/runs.jsonl" > "$out/pays.md" 2>> "$out/pays.log" \
    || status=1
  cd - > /dev/null || return 1
  note "pays: status $status, $(wc -l < "$out/runs.jsonl") runs"
  return $status
}

show() {  # the short table, last
  echo; echo '== machine'; cat "$out/machine.txt"
  if [ -f "$out/right.log" ]; then
    echo '== right'
    grep -E '^(FAILED|ERROR)' "$out/right.log" | cut -c1-200 | head -n 40
    tail -n 1 "$out/right.log"
  fi
  if compgen -G "$out/fast_*.json" > /dev/null; then
    echo '== fast: images/s of steps (peak), ms of other calls'
    "$python" - "$out"/fast_*.json << 'END'
import json, pathlib, sys
for path in map(pathlib.Path, sys.argv[1:]):
    found = json.loads(path.read_text())
    for topic, section in found['sections'].items():
        setting, rows = section['setting'], section['rows']
        size = setting['batch_size'], setting['image_size']
        print(path.stem.removeprefix('fast_'), topic, found['machine']['dtype'], *size)
        print('  ' + ', '.join(
            f"{name} {row['images'] / row['seconds']:.0f} ({row.get('megabytes') or 0:.0f} MiB)"
            if 'images' in row else f"{name} {1e3 * row['seconds']:.2f}"
            for name, row in rows.items() if 'seconds' in row))
END
  fi
  if [ -f "$out/pays.md" ]; then echo '== pays'; grep '^|' "$out/pays.md"; fi
}

pack() {  # logs, figures and notes of runs, without weights
  show > "$out/summary.txt" 2>&1
  {
    (cd "$out" && find . -maxdepth 1 -type f ! -name '*.tar.gz' ! -name pack.tmp -print0) \
      | tar -c -C "$out" --null -T -
  } > "$out/pack.tmp"
  if [ -d "$where/work_dirs/gpu" ]; then
    find "$where/work_dirs/gpu" \( -name run.json -o -name scalars.json \) -print0 \
      | tar -r -P --null -T - -f "$out/pack.tmp"
  fi
  mkdir -p "$(dirname "$archive")"
  gzip < "$out/pack.tmp" > "$archive.tmp" && mv "$archive.tmp" "$archive"
  rm -f "$out/pack.tmp"
}

status=0
describe_machine
for part in "${parts[@]}"; do
  start=$(date +%s)
  note "$part: started"
  "$part" || status=1
  note "$part: took $(($(date +%s) - start)) s"
  pack
done
show
exit $status
