#!/usr/bin/env bash
# Tries on a machine with a GPU of NVIDIA what can be tried there, in at most 8 minutes and without a network. What is
# tried must have been built before, where there is one, and travel with this folder: `npm ci`, `npm run setup:webgl` and
# `npm run setup:native -- --gpu` (with --untried where it is built without a GPU). What is not there is said and left out.
#
# Usage: scripts/bench/gpu.sh [FOLDER] [PYTHON]
#   FOLDER  gets the pictures, and gpu.txt: all that was printed (default: runs/gpu)
#   PYTHON  one that has PyTorch with CUDA, to compare with (default: python3)
set -uo pipefail
cd "$(dirname "$0")/../.."
folder=${1:-runs/gpu}
python=${2:-python3}
limit=${LTS_GPU_SECONDS:-480}
mkdir -p "$folder"
exec > >(tee "$folder/gpu.txt") 2>&1

# part SECONDS TITLE COMMAND...: runs a command for at most so long, and says how it ended.
part() {
  local most=$1 title=$2 left=$((limit - SECONDS)) start=$SECONDS code=0
  shift 2
  printf '\n== %s: %s\n' "$title" "$*"
  if ((left < 5)); then
    echo "left out: the time is over"
    return
  fi
  timeout --kill-after=5 $((most < left ? most : left)) "$@" </dev/null || code=$?
  case $code in
    0) echo "-- done in $((SECONDS - start)) s" ;;
    124 | 137) echo "-- stopped after $((SECONDS - start)) s" ;;
    *) echo "-- failed with $code after $((SECONDS - start)) s" ;;
  esac
}

ours() { echo node --import tsx "$@"; }

part 15 'the GPU' nvidia-smi
part 10 'node' node --version
if [[ -d .native/tfjs-node-gpu ]]; then
  part 60 'training with tfjs-node-gpu' $(ours scripts/try-backend.ts tfjs-node-gpu .native/tfjs-node-gpu)
  part 150 'training speed' $(ours scripts/bench.ts train --backend tfjs-node-gpu --seconds 3 --rounds 2 --python "$python")
  part 90 'training speed, larger' \
    $(ours scripts/bench.ts train --backend tfjs-node-gpu --seconds 3 --rounds 1 --width 256 --height 192 --batch 32 --python "$python")
else
  printf '\n== left out: there is no .native/tfjs-node-gpu\n'
fi
if [[ -d .webgl ]]; then
  # What draws depends on how ANGLE reaches the driver: through X, through EGL, or by Vulkan.
  for platform in gl gl-egl vulkan; do
    part 40 "drawing by $platform" env ANGLE_DEFAULT_PLATFORM=$platform $(ours scripts/try-webgl.ts .webgl)
  done
  for renderer in webgl software; do
    part 60 "a data set by $renderer" \
      $(ours scripts/dataset.ts --renderer "$renderer" --width 1280 --height 720 --count 24 --workers 1 --out "$folder/$renderer")
  done
else
  printf '\n== left out: there is no .webgl\n'
fi
printf '\n%s s of %s\n' "$SECONDS" "$limit"
