#!/bin/sh
# Tests the HTTP interface against its own description: schemathesis makes requests, right and wrong ones, and holds every
# answer against /openapi.json. Starts a private server and stops it; everything it makes is under target/api-test.
#
#   make api-test                          50 examples per operation
#   make api-test EXAMPLES=500 SEED=7
#
# Needs python3 with venv, and the network the first time (it installs schemathesis from PyPI).
set -eu

cd "$(dirname "$0")/../.."
work=${CARGO_TARGET_DIR:-target}/api-test
examples=${EXAMPLES:-50}
seed=${SEED:-1}
token=api-test
mkdir -p "$work"
work=$(cd "$work" && pwd)

if [ ! -x "$work/venv/bin/schemathesis" ]; then
    python3 -m venv "$work/venv"
    "$work/venv/bin/pip" install --quiet --disable-pip-version-check 'schemathesis==4.*'
fi

cargo build --bin aisle
server=
# Its private Postgres runs as another user when this is root, who may not read every folder.
data=$(mktemp -d "${TMPDIR:-/tmp}/aisle-api-test.XXXXXX")
chmod 755 "$data"
stop() {
    [ -z "$server" ] || { kill "$server" 2>/dev/null && wait "$server"; } || :
    rm -rf "$data"
}
trap stop EXIT
trap 'exit 130' INT TERM

env -u DATABASE_URL -u REDIS_URL AISLE_DATA_DIR="$data/data" AISLE_LISTEN=127.0.0.1:0 AISLE_ADMIN_TOKEN=$token \
    "${CARGO_TARGET_DIR:-target}/debug/aisle" serve --demo 100 >"$work/server.log" 2>&1 &
server=$!
url=
until url=$(sed -n 's/^listening on //p' "$work/server.log") && [ -n "$url" ]; do
    kill -0 "$server" || { cat "$work/server.log"; exit 1; }
    sleep 0.2
done

# Paths with an id would meet nothing but 404 if ids were made up: some get ids of things that are there.
first=$(curl -fsS -X POST "$url/v1/admin/products" -H "Authorization: Bearer $token" -H 'Content-Type: application/json' -d '
  {"title": "Tested lamp", "slug": "tested-lamp", "variants":
    [{"sku": "TESTED-1", "stock": 12, "prices": [{"currency": "USD", "amount": 6999}, {"currency": "EUR", "amount": 6500}]}]}')
product=$(printf %s "$first" | "$work/venv/bin/python" -c 'import json, sys; print(json.load(sys.stdin)["id"])')
variant=$(printf %s "$first" | "$work/venv/bin/python" -c 'import json, sys; print(json.load(sys.stdin)["variants"][0]["id"])')
sed -e "s/PRODUCT/$product/" -e "s/VARIANT/$variant/" tests/schemathesis/schemathesis.toml >"$work/schemathesis.toml"

# There, since it leaves a folder of its own where it runs.
cd "$work"
venv/bin/schemathesis --config-file schemathesis.toml run "$url/openapi.json" \
    -H "Authorization: Bearer $token" --max-examples "$examples" --seed "$seed" --continue-on-failure \
    --request-timeout 10 --suppress-health-check all
