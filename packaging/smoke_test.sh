#!/bin/sh
# Work the built program without a screen and without Python: smoke_test.sh PROGRAM [FRAMES]
# Editing needs a mouse: try_as_new_user.py does that.
set -eu

program=$1
frames=${2:-12}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
unset DISPLAY WAYLAND_DISPLAY || true
export HOME="$work/home" LANG=C.UTF-8
export XDG_CACHE_HOME="$HOME/cache" XDG_CONFIG_HOME="$HOME/config"
export XDG_DATA_HOME="$HOME/data" XDG_STATE_HOME="$HOME/state"
mkdir -p "$HOME"

check() {
    what=$1
    shift
    begun=$(date +%s)
    if "$@" >"$work/said.txt" 2>&1; then
        echo "ok      $what ($(($(date +%s) - begun)) s)"
    else
        echo "FAILED  $what"
        cat "$work/said.txt"
        exit 1
    fi
}

has() {
    for file in "$@"; do
        [ -s "$file" ] || { echo "$file is missing"; return 1; }
    done
}

opens_and_segments() {
    QT_QPA_PLATFORM=offscreen "$program" "$work/demo/simulated/pullback.dcm" &
    window=$!
    waited=0
    until grep -qs "segmentation ended, $frames of $frames" "$HOME"/state/calcviewer/log/*.log; do
        kill -0 "$window" || return 1
        [ $((waited += 1)) -le 1200 ] || return 1
        sleep 1
    done
    kill "$window"
    wait "$window" || true
}

check "says its version" "$program" --version
check "the network is what its card says" "$program" models --verify
check "simulates, segments and reports $frames frames" \
    "$program" demo --headless --frames "$frames" -o "$work/demo"
check "report, tables and label maps are there" \
    has "$work/demo/report.pdf" "$work/demo/frames.csv" "$work/demo/labels.npz"
check "exports SEG, SR, PDF and NIfTI" \
    "$program" export "$work/demo" --seg --sr --pdf --nifti -o "$work/exported"
check "reads the pullback" "$program" inspect "$work/demo/simulated/pullback.dcm"
check "a cohort with a process of its own" \
    "$program" cohort "$work/demo/simulated/pullback.dcm" -o "$work/cohort" --workers 1
check "opens and segments a pullback in the window" opens_and_segments
! grep -i traceback "$HOME"/state/calcviewer/log/*.log
echo "All as expected."
