# Becomes a command that must not outlive R: guard.sh PID DIR COMMAND...
# Standard input is a pipe that R holds and never writes to. It closes when R ends,
# however R ends, but also when R is done with the command. So DIR, the directory of
# the session, and the directories noted there are removed only if R, PID, is gone.
pid=$1 dir=$2
shift 2

is_gone() {
  ! kill -0 "$pid" || grep -q ') [ZX] ' "/proc/$pid/stat"
}

# The notes last: what could not be removed is still known by them.
remove() {
  for note in "$dir"/at-*; do
    if read -r noted <"$note"; then
      case $noted in */.new-????-???? | */trash-????-????) rm -rf "$noted" || return 1 ;; esac
    fi
  done
  rm -rf "$dir"
}

# The command runs in a process group of its own, which R is not in.
guard() {
  exec >/dev/null 2>&1 # R reads standard error until nobody has it open
  trap '' TERM
  read -r _ <&3
  kill -TERM 0
  for _ in 1 2 3 4 5 6 7 8 9 10; do
    if is_gone && remove; then break; fi
    sleep 0.1
  done
}

exec 3<&0
guard &
exec "$@" </dev/null 3<&-
