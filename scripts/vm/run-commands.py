"""Runs commands that the host sends over a virtual serial port.

A line of JSON for each command, {"id", "command", "seconds"}, and one for each answer, {"id", "code", "output"}; code is
null where the time was up. A first line, {"id": 0}, says that the machine is up.
"""

import json
import os
import signal
import subprocess
import threading

port = open("/dev/virtio-ports/ganglion", "r+b", buffering=0)
lock = threading.Lock()


def answer(message):
    line = json.dumps(message).encode() + b"\n"
    with lock:
        while line:
            line = line[port.write(line) :]


def run(message):
    process = subprocess.Popen(
        ["/bin/bash", "-c", message["command"]],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        output, _ = process.communicate(timeout=message["seconds"])
        code = process.returncode
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        output, _ = process.communicate()
        code = None
    answer({"id": message["id"], "code": code, "output": output.decode(errors="replace")})


answer({"id": 0})
rest = b""
while True:
    chunk = port.read(65536)
    if not chunk:
        # Nobody is at the other end.
        threading.Event().wait(0.1)
        continue
    *lines, rest = (rest + chunk).split(b"\n")
    for line in lines:
        threading.Thread(target=run, args=(json.loads(line),), daemon=True).start()
