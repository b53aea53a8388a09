#!/bin/sh
# Runs a script of this project in the place of this process, from a bare clone on a machine that has npm and any Node from
# 18 on:
#
#   sh scripts/run.sh <script> [arguments]
#
# As scripts/bootstrap.mjs does, which installs what is missing; for what runs for days, because nothing of it stays in memory.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)

# It writes the Node to be used to descriptor 3, and says how it gets on.
{ node=$(node "$root/scripts/bootstrap.mjs" --prepare 3>&1 >&4); } 4>&1 || exit 1

PATH="$(dirname "$node"):$root/node_modules/.bin:$PATH"
# Of each source the code without its types: nobody has to take these out again, for which Node needs 19 MB.
NODE_COMPILE_CACHE="${NODE_COMPILE_CACHE:-$root/node_modules/.cache/ganglion}"
export PATH NODE_COMPILE_CACHE
script=$root/$1
shift
# What npm started must not outlive it.
if setpriv --pdeathsig TERM true 2>/dev/null; then
  exec setpriv --pdeathsig TERM "$node" "$script" "$@"
fi
exec "$node" "$script" "$@"
