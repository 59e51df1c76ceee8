#!/usr/bin/env bash
# bash run_all.sh OUT_DIR [minutes=9]: every stage in turn, each with its own timeout, results as JSON lines in OUT_DIR (7 files).
# A stage that fails or hangs costs itself alone; one that ended well in OUT_DIR before is not run again. Reads the card as it is: no
# clock, power or mode is ever changed. PYTHON: the interpreter that has torch. A program `micro` beside this file is taken as it is.
here=$(cd "$(dirname "$0")" && pwd); out=${1:?usage: run_all.sh OUT_DIR [minutes]}; minutes=${2:-9}; python=${PYTHON:-python3}
mkdir -p "$out"; out=$(cd "$out" && pwd); build=$(mktemp -d); log=$out/run.log
end=$(( $(date +%s) + $(awk "BEGIN{print int($minutes * 60)}") - 15 ))                     # 15 s for the report
export PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
left(){ echo $(( end - $(date +%s) )); }
stage(){ # name, most seconds, command...
  local name=$1 max=$2 l; shift 2; grep -qsF "\"name\":\"$name\",\"rc\":0," "$out/stages.jsonl" && return; l=$(left); (( l < max )) && max=$l
  if (( max < 5 )); then echo "{\"q\":\"stage\",\"name\":\"$name\",\"rc\":\"no time left\"}" >>"$out/stages.jsonl"; return; fi
  local t0=$(date +%s) rc; echo "== $name (at most $max s)" | tee -a "$log"
  timeout -k 5 "$max" "$@" >>"$log" 2>&1; rc=$?
  echo "{\"q\":\"stage\",\"name\":\"$name\",\"rc\":$rc,\"seconds\":$(( $(date +%s) - t0 ))}" >>"$out/stages.jsonl"; echo "   rc $rc, $(( $(date +%s) - t0 )) s"; }
nvidia-smi >"$out/nvidia-smi.txt" 2>&1
# micro is built while the facts run (the build needs no GPU, the facts are not timed)
nvcc=$(command -v nvcc || echo "${CUDA_HOME:-/usr/local/cuda}/bin/nvcc")
if [ -x "$here/micro" ]; then cp "$here/micro" "$build/micro"; : >"$build/log"; echo 0 >"$build/rc"; else
( "$nvcc" -O2 -std=c++17 --split-compile=0 -gencode=arch=compute_90a,code=sm_90a "$here/micro.cu" -o "$build/micro" >"$build/log" 2>&1; echo $? >"$build/rc" ) & fi
stage facts 110 "$python" "$here/facts_check.py" "$out/facts.jsonl" --group-seconds 40
while [ ! -e "$build/rc" ] && (( $(left) > 30 )); do sleep 1; done
cat "$build/log" >>"$log"; grep -E "C75[0-9][0-9]" "$build/log" && echo "wgmma warning in micro: its numbers are not to be trusted"
if [ "$(cat "$build/rc" 2>/dev/null)" = 0 ]; then
  # one process a stage: a fault in one leaves the others a clean context
  for s in info wgmma alu lat tma mix fp8acc host; do stage "micro $s" 40 "$build/micro" "$s" "$out/micro.jsonl"; done
fi
# the peers get what is left, less half a minute; they know by themselves what is done
[ -e "$out/stages.jsonl" ] && sed -i '/"name":"peers"/d' "$out/stages.jsonl"
m=$(( $(left) - 30 )); (( m > 20 )) && stage peers "$m" "$python" "$here/peers.py" "$out/peers.jsonl" --minutes "$(awk "BEGIN{print ($m-12)/60}")"
if [ -x "$build/micro" ]; then for s in sustained; do stage "micro $s" 25 "$build/micro" "$s" "$out/micro.jsonl"; done; fi
rm -rf "$build"
"$python" "$here/report.py" "$out" | tee "$out/report.txt"
