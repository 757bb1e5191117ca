#!/bin/sh
# A simulator and a trainer that go wrong as θ says, for `npm run attack -- --rounds programs`.
#
#   faulty.sh simulate NAMES READY MARK OUT THETA   THETA is {"fault":N}: what goes wrong is the Nth of NAMES, from 0
#   faulty.sh stay NAMES READY MARK                 the same for each request that it reads
#   faulty.sh train MARK OUT DATA                   what goes wrong is what the simulator has left in DATA/fault
#
# READY is a folder with images, and MARK a number of seconds by which the processes of one attack are known.

field() { echo "$line" | sed "s/.*\"$1\":\"\{0,1\}\([^\",}]*\).*/\1/"; }
fault_at() { shift "$1"; echo "$2"; } # the number is the first of the words itself

simulated() { cp -r "$ready/." "$out"; echo "$fault" > "$out/fault"; }
trained() { echo '{"scores":{"score":0.5}}' > "$out/result.json"; }
# Of a program that stays up, the end of a call is an answer.
ended() { [ -n "$line" ] && echo "{\"id\": $(field id), \"exit\": $1}" || exit "$1"; }

# $1: what goes wrong; $2: the function that does it right
do_wrong() {
  case $1 in
    code) echo 'no such scene' >&2 && ended 7 ;;
    infeasible) echo 'no room for a car' > "$files/failure.txt" && ended 3 ;;
    signal) kill -SEGV $$ ;;
    hang | cancel) sleep "$mark" ;;
    stubborn) trap '' TERM; sleep "$mark"; sleep "$mark" ;;
    worker) echo "$PPID" > "$ready/../doomed-$$"; sleep "$mark" ;;
    child) $2; sleep "$mark" & ended 0 ;;
    leaver) $2; setsid sleep "$mark" & ended 0 ;;
    flood) head -c 50000000 /dev/zero; echo; $2; ended 0 ;;
    disk) cat "$0" > /dev/full || ended 1 ;;
    missing) /no/such/program || ended 127 ;;
    nothing) ended 0 ;;
    half) $2; head -c 40 "$out/images/000001.png" > "$out/part"; mv "$out/part" "$out/images/000001.png"; ended 0 ;;
    broken) echo '{"scores":{"sco' > "$out/result.json"; ended 0 ;;
    diverged) echo '{"scores":{"score":NaN}}' > "$out/result.json"; ended 0 ;;
    nonsense) echo nonsense >> "$files/progress.jsonl"; $2; ended 0 ;;
    *) $2; ended 0 ;; # nothing goes wrong here
  esac
}

role=$1 line=
case $role in
  simulate) names=$2 ready=$3 mark=$4 out=$5 files=$5/../simulator
    number=${6#*:}
    fault=$(fault_at "${number%\}}" $names)
    do_wrong "$fault" simulated ;;
  stay) names=$2 ready=$3 mark=$4
    while read -r line; do
      out=$(field out) files=$out/../simulator
      fault=$(fault_at "$(field fault)" $names)
      do_wrong "$fault" simulated
    done ;;
  train) mark=$2 out=$3 files=$3/..
    fault=$(cat "$4/fault")
    do_wrong "${fault#trainer:}" trained ;;
esac
