#!/usr/bin/env bash
# Serves the demo on a free port and calls it by ghz with every configuration beside this script; fails on any answer
# that is not OK. The first argument is the number of unary calls (streams: a fiftieth of it).
#
#   QUIVER=target/release/quiver deploy/ghz/smoke.sh 2000
#
# CLIENT names a program that is given the server's address first, such as target/release/examples/client.
set -euo pipefail
cd "$(dirname "$0")/../.."

calls=${1:-500}
quiver=${QUIVER:-target/release/quiver}
ghz_version=v0.120.0

ghz=$(command -v ghz || echo "$(go env GOPATH)/bin/ghz")
if [ ! -x "$ghz" ]; then
    # Never @latest: it may give 0.93, which can't read proto3 "optional".
    go install "github.com/bojand/ghz/cmd/ghz@$ghz_version"
fi

work=$(mktemp -d)
"$quiver" serve --demo --listen 127.0.0.1:0 --admin 127.0.0.1:0 --log-format json 2>"$work/log" &
server=$!
finish() {
    kill "$server" 2>/dev/null || true
    wait "$server" || true
    rm -rf "$work"
}
trap finish EXIT

address=
for _ in $(seq 600); do
    if grep -q '"message":"serving"' "$work/log"; then
        address=$(sed -n 's/.*"message":"serving".*"listen":"\([^"]*\)".*/\1/p' "$work/log" | head -1)
        break
    fi
    kill -0 "$server" || { cat "$work/log" >&2; exit 1; }
    sleep 0.2
done
[ -n "$address" ] || { echo "the server did not get ready:" >&2; cat "$work/log" >&2; exit 1; }

failed=0
if [ -n "${CLIENT:-}" ]; then
    "$CLIENT" "http://$address" || failed=1
fi
for candidates in 100 500; do
    "$quiver" demo-requests --candidates "$candidates" --output "target/ghz/requests-$candidates.json"
    for kind in unary stream; do
        configuration="deploy/ghz/$kind-$candidates.json"
        total=$calls
        if [ "$kind" = stream ]; then total=$((calls / 50 > 4 ? calls / 50 : 4)); fi
        "$ghz" --config "$configuration" -n "$total" "$address" >"$work/report"
        ok=$(sed -n 's/^ *\[OK\] *\([0-9]*\) responses.*/\1/p' "$work/report")
        rate=$(sed -n 's/^ *Requests\/sec:[^0-9]*//p' "$work/report")
        echo "$configuration: ${ok:-0} of $total OK, $rate calls/s"
        if [ "${ok:-0}" != "$total" ]; then
            cat "$work/report" >&2
            failed=1
        fi
    done
done
exit "$failed"
