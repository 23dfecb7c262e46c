#!/bin/bash
# Instructions per MSS-sized segment, received and sent, counted by callgrind: a number that does not
# depend on what else the machine is doing. Usage: segment_cost.sh PROGRAM
set -euo pipefail

program=${1:?usage: segment_cost.sh PROGRAM}
bytes=20000000
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

measure() {  # name, role, super-frame size, segment payload
    local frames counted segments
    valgrind --tool=callgrind --callgrind-out-file="$out/cg" --toggle-collect='*measured*' \
        "$program" "$2" "$bytes" "$3" >"$out/stdout" 2>"$out/stderr"
    counted=$(sed -n 's/.*Collected : //p' "$out/stderr")
    frames=$(cat "$out/stdout")
    # Nine tenths of the transfer are counted, in segments of 1448 bytes.
    segments=$((bytes * 9 / 10 / 1448))
    printf '%-28s %8d instructions per segment   (%s)\n' "$1" $((counted / segments)) "$frames"
}

measure "receive, one by one" receive 0
measure "send, one by one" send 0
measure "receive, super-frames" receive 65535
measure "send, super-frames" send 65535
