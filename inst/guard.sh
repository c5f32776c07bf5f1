# Runs a command that shall not outlive R: guard.sh PID DIR STAGING COMMAND...
# Standard input is a pipe that R holds and never writes to: it ends with R, however
# R ends, but also when R is done with the command. So DIR and STAGING are removed
# only if the process PID is gone.
pid=$1 dir=$2 staging=$3
shift 3

is_gone() {
  ! kill -0 "$pid" || grep -q ') [ZX] ' "/proc/$pid/stat"
}

# R and what it starts for this command share no process group.
guard() {
  trap '' TERM
  read -r _ <&3
  kill -TERM 0
  for _ in 1 2 3 4 5 6 7 8 9 10; do
    if is_gone && rm -rf "$dir" "$staging"; then break; fi
    sleep 0.1
  done
}

exec 3<&0
guard >/dev/null 2>&1 &
guard=$!
"$@" </dev/null 3<&- &
wait $!
status=$?
kill -KILL $guard
exit $status
