#!/bin/bash
# Instructions per MSS-sized segment, received and sent, counted by callgrind: a number that does not
# depend on what else the machine is doing. Then the same per datagram through a router.
# Usage: segment_cost.sh SEGMENT_COST [FORWARD_COST]
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

[ $# -gt 1 ] || exit 0
forwarded() {  # name, program, kind
    local packets=100000 counted
    valgrind --tool=callgrind --callgrind-out-file="$out/cg" --toggle-collect='*measured*' \
        "$2" "$3" "$packets" >/dev/null 2>"$out/stderr"
    counted=$(sed -n 's/.*Collected : //p' "$out/stderr")
    printf '%-28s %8d instructions per packet\n' "$1" $((counted / packets))
}
forwarded "forward, routed" "$2" route
forwarded "forward, NAT" "$2" nat
