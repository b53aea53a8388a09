import { mkdirSync } from "node:fs";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { temporaryDirectory } from "../harness/cleanup.ts";
import type { MachineOptions } from "./machine.ts";
import { ServiceHost, until } from "./service-host.ts";
import { PROGRAMS, settings } from "./settings.ts";

// In order, as the life of one host: each goes on from what the one before left.
const CONFIG = "/etc/ganglion/agent.yaml";
const INSTALL = "ganglion-agent install --writable /srv/agents --memory-max 400M --cpu-quota 150%";
const INTENTS = "/var/lib/ganglion/intents";
const METRICS = "/var/lib/ganglion/metrics";

let host: ServiceHost;
/** Which process the service is now. */
const main = async () => (await host.active()).MainPID ?? "";

async function drop(question: string): Promise<void> {
  const intent = JSON.stringify({ id: question, type: "question", data: { question } });
  await host.write(`${INTENTS}/.${question}`, intent);
  await host.text(`mv ${INTENTS}/.${question} ${INTENTS}/${question}.json`);
}
const asked = (question: string) => host.signals("Q_CURIOSITY_INVESTIGATE", ({ facts }) => facts.question === question);
const ofAgent = (agent: string, pid?: number) => (signal: { facts: Readonly<Record<string, unknown>> }) =>
  signal.facts.agent === agent && (pid === undefined || signal.facts.pid === pid);

beforeAll(async () => {
  const directory = process.env.GANGLION_VM_DIRECTORY ?? temporaryDirectory();
  mkdirSync(directory, { recursive: true });
  const given = JSON.parse(process.env.GANGLION_VM ?? "{}") as Omit<MachineOptions, "directory">;
  host = await ServiceHost.boot({ ...given, directory });
  for (const [path, text] of Object.entries(PROGRAMS)) await host.write(path, text);
  await host.text("useradd --create-home tester && mkdir -p /srv/agents /srv/elsewhere && chmod 777 /srv/elsewhere");
});
afterEach(({ task }) => {
  if (task.result?.state !== "fail") return undefined;
  return host.machine.run("journalctl -u ganglion-agent --no-pager -n 40").then(({ output }) => console.error(output));
});
afterAll(() => host?.machine.close());

describe("ganglion-agent install", () => {
  it("asks for a token first, and starts nothing without it", async () => {
    expect(await host.text(INSTALL)).toContain("Put the host's token into /etc/ganglion/token (mode 0600), then:");
    expect(await host.unit()).toMatchObject({ ActiveState: "inactive", UnitFileState: "enabled" });
  });

  it("starts the service, which reports its readiness, runs as a user of its own, and is linked", async () => {
    await host.text("chown ganglion: /srv/agents");
    await host.write(CONFIG, settings(host.url));
    await host.write("/etc/ganglion/token", host.edge.token, "600");
    await host.text(INSTALL);
    const unit = await host.active();
    expect(unit).toMatchObject({ Type: "notify", User: "ganglion", NRestarts: "0", MemoryMax: String(400 << 20) });
    expect(await host.text("systemctl status --no-pager ganglion-agent")).toContain('Status: "link connected"');
  });

  it("changes nothing when it is repeated", async () => {
    const pid = await main();
    expect(await host.text(INSTALL)).toContain("/etc/systemd/system/ganglion-agent.service is up to date");
    expect(await main()).toBe(pid);
  });

  it("leaves a host on which the doctor finds no problem, and sandboxes the agent", async () => {
    await host.active();
    const { code, output } = await host.machine.run(`ganglion-agent doctor --config ${CONFIG}`);
    expect([code, output.match(/^ERROR.*/gm)], output).toEqual([0, null]);
    expect(output).toContain("ganglion-agent.service is active (running)");
    expect(await host.text("ganglion ps")).toMatch(/^stubborn +(idle|working) +\d+/m);
    expect(await host.text("systemd-analyze security ganglion-agent")).toMatch(/level for \S+: [0-2]\.\d OK/);
  });
});

describe("the sandbox", () => {
  it("applies to child processes: they can write only to the named directories, and see no other processes", async () => {
    await host.emit("Q_TRY_PROBE", {});
    const [probed] = await host.signals("Q_TRY_PROBED");
    const readOnly = "Read-only file system";
    expect(probed?.facts).toMatchObject({
      etc: readOnly,
      usr: readOnly,
      home: readOnly,
      srv: readOnly,
      writable: true,
      tmp: true,
      tunable: readOnly,
      others: 0,
      no_new_privileges: "1",
      filter: "2",
      secrets: [],
      capabilities: "0000000000000000",
    });
    expect(probed?.facts.user).toBe(Number(await host.text("id -u ganglion")));
    expect(await host.text("ls /tmp")).not.toContain("probe");
  });

  it("passes the token as a credential, and shows it nowhere", async () => {
    const { token } = host.edge;
    const pid = await main();
    expect(await host.text("cat /run/credentials/ganglion-agent.service/ganglion-token")).toBe(token);
    const elsewhere = `cat /proc/${pid}/environ /proc/${pid}/cmdline; systemctl show ganglion-agent; journalctl -b`;
    expect(await host.text(`(${elsewhere}) | grep -c -a -F ${token} || true`)).toBe("0");
    expect((await host.machine.run("runuser -u tester cat /etc/ganglion/token")).code).toBe(1);
  });

  it("lets every feature work: intents, metric files, the sampler, the bus in both directions, metrics", async () => {
    await drop("one");
    await asked("one");
    await host.text(`echo '{"queue_name":"try","depth":3,"zooid":"tool"}' >> ${METRICS}/queue_metrics.jsonl`);
    await host.signals("OBSERVATION", ({ facts }) => facts.queue_name === "try");
    await host.signals("OBSERVATION", ({ facts }) => facts.zooid === "host/machine", 2);
    const heard = host.text("python3 /opt/bus.py");
    await host.signals("Q_TRY_FROM_BUS");
    await host.emit("Q_TRY_FROM_OUTSIDE", { n: 2 });
    expect(JSON.parse(await heard)).toMatchObject({ signal: "Q_TRY_FROM_OUTSIDE", facts: { n: 2 } });
    const get = (path: string) => `urllib.request.urlopen("http://127.0.0.1:9464${path}").read().decode()`;
    const text = await host.text(`python3 -c 'import urllib.request; print(${get("/healthz")}, ${get("/metrics")})'`);
    expect(text).toContain('"ok":true');
    expect(text).toContain('ganglion_agent_link_state{state="connected"} 1');
  });

  it("lets the agent reload its settings", async () => {
    const pid = await main();
    await host.write(CONFIG, settings(host.url, { sampleSeconds: 4 }));
    await host.text("systemctl reload ganglion-agent");
    await until("the new settings", () =>
      host.text("journalctl -u ganglion-agent | grep 'new settings were applied' | grep sampler.seconds"),
    );
    expect(await main()).toBe(pid);
  });
});

describe("the control groups", () => {
  it("hold each supervised agent with its child processes, apart from the agent itself", async () => {
    const lines = await until("the agents to be up", async () => {
      expect(await host.agent("stubborn")).toMatchObject({ state: "up" });
      const pids = (await host.controls("agent-calm", "cgroup.procs")).split("\n");
      return Promise.all(pids.map((pid) => host.text(`tr '\\0' ' ' < /proc/${pid}/cmdline`)));
    });
    expect(lines.map((line) => line.trim()).toSorted()).toEqual(["sleep 60001", "sleep 60002", "sleep 60003"]);
    expect(await host.controls("ganglion-agent", "cgroup.procs")).toBe(await main());
    expect(await host.controls("agent-limited", "memory.max")).toBe(String(80 << 20));
  });

  it("slow down an agent that exceeds its processor time, without a restart", async () => {
    const throttled = async () =>
      Number(/^nr_throttled (\d+)$/m.exec(await host.controls("agent-spinner", "cpu.stat"))?.[1]);
    const before = await throttled();
    await until("it to be slowed down", async () => expect(await throttled()).toBeGreaterThan(before + 100));
    expect((await host.agent("spinner")).restarts).toBe(0);
  });

  it.each([
    ["more memory than it may have", "limited", "/srv/agents/eat"],
    ["all the memory that the service has", "glutton", "/srv/agents/eat-all"],
  ])("end one that takes %s, and that one alone: it is told, and started again", async (_, name, file) => {
    const { MainPID, NRestarts } = await host.active();
    const { pid } = await host.agent(name);
    const calm = await host.agent("calm");
    await host.text(`runuser -u ganglion touch ${file}`);
    const [crashed] = await host.signals("Q_PROCESS_CRASHED", ofAgent(name, pid));
    expect(crashed?.facts.reason).toBe("the process used more memory than its limit, and the kernel ended it");
    await until("it to be started again", async () => expect(await host.agent(name)).toMatchObject({ state: "up" }));
    expect(await host.agent("calm")).toMatchObject({ pid: calm.pid, restarts: 0 });
    expect(await host.active()).toMatchObject({ MainPID, NRestarts });
  });
});

describe("a bad day", () => {
  it("an edge that is away stops neither the service nor its agents, and a killed agent comes back with its signals", async () => {
    const killed = await main();
    const bringBack = await host.edgeAway();
    const away = { status: /^link (waiting|connecting)/ };
    try {
      expect(await host.active(away)).toMatchObject({ MainPID: killed });
      await drop("while-away");
      await until("the intent to be taken in", async () =>
        expect(await host.text(`ls ${INTENTS}`)).not.toContain("while-away"),
      );
      const { pid } = await host.agent("calm");
      await host.text(`kill -KILL ${killed}`);
      await host.active({ ...away, otherThan: killed });
      expect((await host.machine.run(`test -d /proc/${pid}`)).code).toBe(1);
    } finally {
      await bringBack();
    }
    await host.active();
    expect(await asked("while-away")).toHaveLength(1);
  });

  it("the watchdog restarts an agent that is blocked", async () => {
    const stopped = await main();
    await host.text(`kill -STOP ${stopped}`);
    await host.active({ otherThan: stopped });
    expect(await host.text("journalctl -u ganglion-agent")).toContain("Watchdog timeout");
  });

  it("a full disk stops no supervised agent", async () => {
    const { pid } = await until("the agents to be up", async () => {
      const calm = await host.agent("calm");
      expect(calm.state).toBe("up");
      return calm;
    });
    // What is left is for root alone.
    await host.text("fallocate -l $(($(stat -f -c '%a*%S' /))) /fill");
    try {
      const full = await host.active({ status: /database or disk is full/ });
      // Longer than the watchdog waits.
      await host.text("sleep 40");
      expect(await host.unit()).toMatchObject({ MainPID: full.MainPID, ActiveState: "active" });
      expect(await host.agent("calm")).toMatchObject({ pid, restarts: 0 });
    } finally {
      await host.text("rm /fill");
    }
    await drop("after-the-flood");
    await asked("after-the-flood");
  });

  it("systemctl stop ends the agent within its time, with all agents that it supervises", async () => {
    await host.text("systemctl stop ganglion-agent", { seconds: 60 });
    expect(await host.unit()).toMatchObject({ ActiveState: "inactive", Result: "success" });
    expect((await host.machine.run("ps -u ganglion -o args=")).output).toBe("");
  });

  it("a reboot starts the service and its agents again", async () => {
    await host.machine.reboot();
    await host.active();
    await until("the agents to be up", async () => expect(await host.agent("calm")).toMatchObject({ state: "up" }));
    await drop("after-the-reboot");
    await asked("after-the-reboot");
  });
});

describe("other ways to be installed", () => {
  it("a service whose unit has changed is restarted by the next installation", async () => {
    const before = await main();
    await host.text(INSTALL.replace("400M", "500M"));
    expect((await host.active({ otherThan: before })).MemoryMax).toBe(String(500 << 20));
  });

  it("without a control group of its own the agent enforces limits by measuring", async () => {
    await host.write("/etc/systemd/system/ganglion-agent.service.d/own.conf", "[Service]\nDelegate=no\n");
    await host.text("systemctl daemon-reload && systemctl restart ganglion-agent");
    await host.active();
    expect(await host.text("ls /sys/fs/cgroup/system.slice/ganglion-agent.service")).not.toContain("agent-calm");
    const [first] = await host.signals("Q_PROCESS_LIMIT_EXCEEDED", ofAgent("spinner"));
    expect(first?.facts).toMatchObject({ limit_of: "cpu", limit: 20 });
  });

  it("uninstall leaves settings, state and token, and no process", async () => {
    await host.text("rm -r /etc/systemd/system/ganglion-agent.service.d && ganglion-agent uninstall");
    expect(await host.unit()).toMatchObject({ LoadState: "not-found", ActiveState: "inactive" });
    expect((await host.machine.run("ps -u ganglion -o args=")).output).toBe("");
    await host.text(`ls ${CONFIG} /etc/ganglion/token /var/lib/ganglion/agent.db`);
    const left = "find /etc/systemd /etc/sysusers.d /run/systemd -name '*ganglion*'";
    expect(await host.text(left)).toBe("");
  });

  it("a user's own service runs without root, and while the user is logged out", async () => {
    await host.text("loginctl enable-linger tester");
    const id = await host.text("id -u tester");
    const as = `runuser -u tester -- env HOME=/home/tester XDG_RUNTIME_DIR=/run/user/${id}`;
    await until("a manager of one's own", () => host.text(`${as} systemctl --user is-system-running --wait`));
    expect(await host.text(`${as} ganglion-agent install --user`)).toContain(
      "Put the host's token into /home/tester/.local/state/ganglion/token (mode 0600), then:",
    );
    const home = "/home/tester";
    await host.write(`${home}/.config/ganglion/agent.yaml`, settings(host.url, { host: "own" }));
    await host.write(`${home}/.local/state/ganglion/token`, host.edge.token, "600");
    await host.text(`chown -R tester: ${home} && ${as} ganglion-agent install --user`);
    await until("the link", async () =>
      expect(await host.text(`${as} systemctl --user status ganglion-agent --no-pager`)).toContain("link connected"),
    );
    await host.signals("OBSERVATION", ({ facts }) => facts.zooid === "host/own");
    await host.text(`${as} ganglion-agent uninstall --user`);
    expect((await host.machine.run("pgrep -u tester -f node_modules/ganglion/")).output).toBe("");
  });
});
