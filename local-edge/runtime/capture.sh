#!/bin/sh
# Stands in the place of the Workers runtime where only its configuration is wanted: Miniflare writes that to the standard
# input of what it starts. It holds the administrator's token.
#
# GANGLION_RUNTIME_CONFIG: the file to write, whole or not at all.
set -eu
umask 077
cat >"$GANGLION_RUNTIME_CONFIG.part"
mv "$GANGLION_RUNTIME_CONFIG.part" "$GANGLION_RUNTIME_CONFIG"
