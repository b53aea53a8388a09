#!/bin/sh
# Starts the Workers runtime so that it does not outlive the process that started it.
#
# A runtime whose parent was killed with -9 would keep the port and the storage. Where the kernel can be asked to send
# SIGKILL at the parent's death (setpriv of util-linux), it is; elsewhere the process id, which survives the exec, is
# left in a file by which the next start finds its own orphan.
#
# GANGLION_WORKERD: the runtime's binary. GANGLION_WORKERD_PID_FILE: where to leave the process id.
# GANGLION_INSPECTOR_ADDR: where the runtime's inspector listens, such as 127.0.0.1:9229. Default: nowhere. Whoever reaches
# it reads everything.
set -eu

# Ctrl-C in a terminal goes to every process of the foreground group. The runtime must go on until the parent has
# drained the agent and stops it; an ignored signal stays ignored across exec.
trap '' INT

if [ -n "${GANGLION_INSPECTOR_ADDR:-}" ] && [ "$1" = serve ]; then
  shift
  set -- serve "--inspector-addr=$GANGLION_INSPECTOR_ADDR" "$@"
fi

echo $$ >"$GANGLION_WORKERD_PID_FILE"
if setpriv --pdeathsig KILL true 2>/dev/null; then
  exec setpriv --pdeathsig KILL "$GANGLION_WORKERD" "$@"
fi
exec "$GANGLION_WORKERD" "$@"
