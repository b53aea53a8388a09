import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { runAgent } from "../../harness/running-agent.ts";
import { RunningProcess } from "../../harness/running-process.ts";
import { temporaryDirectory } from "../../unit/store/temporary-state.ts";
import { FakeEdge } from "../link/fake-edge.ts";

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** A service manager's socket, in a process of its own: Node knows no such sockets. */
async function managerAt(address: string): Promise<RunningProcess> {
  const manager = new RunningProcess(["test/harness/notify-socket.py", address], { command: "python3" });
  closing.push(() => manager.killGroup());
  await manager.line(/listening/);
  return manager;
}

async function startEdge() {
  const edge = await FakeEdge.listen();
  closing.push(() => edge.close());
  return edge;
}

describe("the agent as a systemd service", () => {
  it.each(["path", "abstract name"])("notifies the manager at a %s of its state, from start to stop", async (kind) => {
    const address = kind === "path" ? join(temporaryDirectory(), "notify") : `@ganglion-test-${randomUUID()}`;
    const manager = await managerAt(address);
    const edge = await startEdge();
    const agent = await runAgent(
      { url: edge.url, token: "secret" },
      { env: { NOTIFY_SOCKET: address, WATCHDOG_USEC: "300000" } },
    );
    closing.push(() => agent.process.killGroup());
    const pid = agent.process.pid;
    await manager.line(new RegExp(`"pid": ${pid}, "lines": \\["READY=1", "STATUS=link `));
    await manager.line(/"STATUS=link connected"/);
    await manager.times(/"lines": \["WATCHDOG=1"\]/, 3);
    edge.token = "another";
    edge.dropConnections();
    await manager.line(/"STATUS=link waiting: the edge does not know the token \(401\)/);
    agent.process.signal("SIGHUP");
    await manager.line(/"RELOADING=1", "MONOTONIC_USEC=\d+"/);
    await manager.times(/"READY=1"/, 2);
    expect(await agent.process.stop()).toBe(0);
    await manager.line(/"STOPPING=1"/);
  });

  // As root systemd-notify may speak in another's name, so that only its absence shows who spoke.
  it("notifies the manager itself, without a program of systemd", async () => {
    const address = join(temporaryDirectory(), "notify");
    const manager = await managerAt(address);
    const edge = await startEdge();
    const agent = await runAgent(
      { url: edge.url, token: "secret" },
      { env: { NOTIFY_SOCKET: address, PATH: temporaryDirectory() } },
    );
    closing.push(() => agent.process.killGroup());
    await manager.line(new RegExp(`"pid": ${agent.process.pid}, "lines": \\["READY=1"`));
    expect(await agent.process.stop()).toBe(0);
  });

  it("does not feed the watchdog while its event loop is blocked", async () => {
    const address = join(temporaryDirectory(), "notify");
    const manager = await managerAt(address);
    const edge = await startEdge();
    const agent = await runAgent(
      { url: edge.url, token: "secret" },
      { env: { NOTIFY_SOCKET: address, WATCHDOG_USEC: "300000" } },
    );
    closing.push(() => agent.process.killGroup());
    const fed = (pid: number) => new RegExp(`"pid": ${pid}, "lines": \\["WATCHDOG=1"`);
    const feedings = () => manager.lines.filter((line) => fed(agent.process.pid).test(line)).length;
    await manager.line(fed(agent.process.pid));
    agent.process.signal("SIGSTOP");
    // Another agent's three feedings are the clock: in their time this one had three as well.
    const other = await runAgent(
      { url: edge.url, token: "secret" },
      { host: "other", env: { NOTIFY_SOCKET: address, WATCHDOG_USEC: "300000" } },
    );
    closing.push(() => other.process.killGroup());
    // What was on its way when the first was stopped came before the first word of the second.
    await manager.line(new RegExp(`"pid": ${other.process.pid}, `));
    const before = feedings();
    await manager.times(fed(other.process.pid), 3);
    expect(feedings()).toBe(before);
    agent.process.signal("SIGCONT");
    await manager.times(fed(agent.process.pid), before + 1);
  });

  it("starts without a manager, and with a manager that is gone", async () => {
    const edge = await startEdge();
    const agent = await runAgent(
      { url: edge.url, token: "secret" },
      { env: { NOTIFY_SOCKET: join(temporaryDirectory(), "nobody") } },
    );
    closing.push(() => agent.process.killGroup());
    await agent.linked();
    await agent.process.line(/a notification was not sent/);
    expect(await agent.process.stop()).toBe(0);
  });
});
