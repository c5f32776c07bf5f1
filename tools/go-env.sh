# shellcheck shell=sh disable=SC2154
# Sourced by the scripts of tools/, with $root set: the environment that Go runs
# in. Nothing is written outside .local/, and nothing is taken from the network
# but what GOPROXY, as the caller has set it, allows.
local_dir=$root/.local
mkdir -p "$local_dir/config/go/telemetry"
[ -e "$local_dir/config/go/telemetry/mode" ] || echo off >"$local_dir/config/go/telemetry/mode"
export XDG_CONFIG_HOME="$local_dir/config"
export GOCACHE="${GOCACHE:-$local_dir/cache/go-build}"
export GOPATH="$local_dir/gopath"
export GOENV=off GOTOOLCHAIN=local GOWORK=off
