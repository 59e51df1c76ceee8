# Sourced by the scripts of tools/: steps with their time, and one sentence on failure.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
logs=$root/build/logs
jobs=$(nproc)
started=$SECONDS

say() { printf '%s\n' "$*"; }

fail() {
  printf '%s: %s\n' "$(basename "$0")" "$*" >&2
  exit 1
}

# step NAME COMMAND...: runs quietly; prints how long it took, or the end of its log and one sentence.
step() {
  local name=$1 begin=$SECONDS log status=0
  shift
  mkdir -p "$logs"
  log=$logs/${name// /_}.log
  "$@" >"$log" 2>&1 || status=$?
  if [ "$status" -ne 0 ]; then
    tail -n 60 "$log" >&2
    fail "'$name' failed with status $status after $((SECONDS - begin)) s; the whole log is ${log#"$root"/}."
  fi
  printf '%5d s  %-28s %d s\n' $((SECONDS - started)) "$name" $((SECONDS - begin))
}
