#!/bin/sh
# The images' entry point: `supervise.sh <program> [arguments]`. When `run` is killed (out of memory, a crash), it is started again at
# once, with a growing pause after repeated crashes: the container stays up, and Kubernetes keeps the pod in its Services. Passes
# SIGTERM and SIGINT on, waits for the program's end, and exits with its exit code. Other commands run without supervision.
case ${2:-run} in
  run | -*) ;;
  *) exec node "$@" ;;
esac

# A program that runs for weeks and does little: a small young generation and no optimizing compilers save 10 to 14 MB. Its
# start takes 36 ms more, because V8 takes Node's own compiled code only without flags.
flags="--max-semi-space-size=1 --no-opt --no-maglev"
stop=
program=
pause=0 # tenths of a second
pass_on() {
  stop=$1
  [ -z "$program" ] || kill "-$1" "$program" 2>/dev/null
}
trap 'pass_on TERM' TERM
trap 'pass_on INT' INT

while :; do
  started=$(date +%s)
  # shellcheck disable=SC2086 # one word for each flag
  node $flags "$@" &
  program=$!
  # A signal that came before the program was known.
  [ -z "$stop" ] || kill "-$stop" "$program" 2>/dev/null
  # A signal ends `wait` early: wait until the program has really ended.
  while :; do
    wait "$program"
    code=$?
    kill -0 "$program" 2>/dev/null || break
  done
  program=
  # 0: it was told to stop. 2: its settings cannot be used. Neither gets better by starting again.
  if [ -n "$stop" ] || [ "$code" = 0 ] || [ "$code" = 2 ]; then exit "$code"; fi
  [ $(($(date +%s) - started)) -lt 60 ] || pause=0
  echo "{\"level\":50,\"event\":\"restart\",\"code\":$code,\"msg\":\"the program ended with code $code; it is started again\"}" >&2
  if [ "$pause" -gt 0 ]; then
    sleep "$((pause / 10)).$((pause % 10))" &
    wait $!
    [ -z "$stop" ] || exit 0
  fi
  # 0, 0.2, 0.4, 0.8, ... 10 s
  pause=$((pause == 0 ? 2 : pause * 2))
  [ "$pause" -le 100 ] || pause=100
done
