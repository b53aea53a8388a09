/** A program that takes more memory than it may when it is told to, by a file. */
const HOG = `import os, sys, time
while True:
    if os.path.exists(sys.argv[1]):
        os.remove(sys.argv[1])
        held = bytearray(600 << 20)
        for place in range(0, len(held), 4096):
            held[place] = 1
    time.sleep(0.2)
`;

/** Tells of the sandbox that it runs in, as the facts of a completion. */
const PROBE = `import json, os, sys
sys.stdin.read()
def may(path):
    try:
        with open(path, "w") as file:
            file.write("written")
        return True
    except OSError as error:
        return os.strerror(error.errno)
def seen(path):
    try:
        return os.listdir(path)
    except OSError as error:
        return os.strerror(error.errno)
others = [pid for pid in os.listdir("/proc") if pid.isdigit() and os.stat("/proc/" + pid).st_uid != os.getuid()]
with open("/proc/self/status") as file:
    status = dict(line.rstrip().split(":\\t", 1) for line in file if ":\\t" in line)
print(json.dumps({
    "user": os.getuid(), "etc": may("/etc/probe"), "usr": may("/usr/probe"), "home": may("/home/tester/probe"),
    "srv": may("/srv/elsewhere/probe"), "writable": may("/srv/agents/probe"), "tmp": may("/tmp/probe"),
    "tunable": may("/proc/sys/kernel/panic"), "home_read": seen("/home/tester"), "others": len(others),
    "no_new_privileges": status["NoNewPrivs"], "capabilities": status["CapBnd"], "filter": status["Seccomp"],
    "secrets": [name for name in os.environ if "TOKEN" in name or "CREDENTIAL" in name],
}))
`;

/** Publishes one message on the bus, and prints the first that comes from elsewhere. */
const BUS = `import json, sys, time, zmq
context = zmq.Context()
sub = context.socket(zmq.SUB)
sub.connect("tcp://127.0.0.1:5557")
sub.setsockopt(zmq.SUBSCRIBE, b"Q_TRY_FROM_OUTSIDE")
pub = context.socket(zmq.PUB)
pub.connect("tcp://127.0.0.1:5556")
time.sleep(5)  # a publisher's first messages are lost while it connects
message = {"signal": "Q_TRY_FROM_BUS", "source": "bus", "timestamp": time.time(), "facts": {"n": 1}}
pub.send_multipart([b"Q_TRY_FROM_BUS", json.dumps(message).encode()])
print(sub.recv_multipart()[1].decode())
`;

export const PROGRAMS = { "/opt/hog.py": HOG, "/opt/probe.py": PROBE, "/opt/bus.py": BUS } as const;

/** Of an agent with everything that a sandbox could stand in the way of. */
export const settings = (url: string, { host = "machine", sampleSeconds = 5 } = {}) => `edge: { url: "${url}" }
host: { id: ${host} }
observability: { port: 9464 }
sampler: { seconds: ${sampleSeconds} }
reactions:
  probe:
    when: Q_TRY_PROBE
    run: { command: [python3, /opt/probe.py] }
    emits: { completed: Q_TRY_PROBED }
agents:
  calm: { command: [/bin/sh, -c, "sleep 60001 & setsid sleep 60002 & exec sleep 60003"] }
  spinner: { command: [/bin/sh, -c, "while :; do :; done"], cpu_percent: 20, limit_seconds: 10 }
  limited: { command: [python3, /opt/hog.py, /srv/agents/eat], memory_mb: 80, limit_seconds: 5 }
  glutton: { command: [python3, /opt/hog.py, /srv/agents/eat-all] }
  stubborn: { command: [/bin/sh, -c, "trap '' TERM; while :; do sleep 1; done"], stop_seconds: 5 }
`;
