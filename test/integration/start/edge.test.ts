import { readdirSync, readFileSync, renameSync, statSync, symlinkSync } from "node:fs";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { atEnd, temporaryDirectory } from "../../harness/cleanup.ts";
import { eventually } from "../../harness/eventually.ts";
import { alive } from "../../harness/process-alive.ts";
import { runEdge } from "../../harness/running-edge.ts";
import { RunningProcess } from "../../harness/running-process.ts";
import { within } from "../../harness/until.ts";

const runtimePid = (stateDir: string) => Number(readFileSync(join(stateDir, "runtime.pid"), "utf8"));

/** A search path on which `setpriv` is there, and fails: a system that cannot tie a child's life to its parent's. */
function withoutSetpriv(): string {
  const directory = temporaryDirectory();
  symlinkSync("/bin/false", join(directory, "setpriv"));
  return `${directory}:${process.env.PATH}`;
}

describe("the edge on this machine", () => {
  it("answers, and knows its administrator by the token it made", async () => {
    const edge = await runEdge({ alone: true });
    expect((await fetch(`${edge.url}/healthz`)).status).toBe(200);
    expect((await fetch(`${edge.url}/v1/default/status`)).status).toBe(401);
    expect(await edge.client().status()).toMatchObject({ ecosystem: "default" });
    expect(await edge.process.stop()).toBe(0);
  });

  it("goes on with its configuration where its state was moved and it listens elsewhere", async () => {
    const edge = await runEdge({ alone: true });
    const { ids } = await edge.client().emit({ signal: "Q_KEPT", source: "test", facts: {} });
    await edge.process.stop();
    const stateDir = join(temporaryDirectory(), "moved");
    renameSync(edge.stateDir, stateDir);
    const configurations = () => {
      const directory = join(stateDir, "runtime");
      return readdirSync(directory).map((key) => [key, statSync(join(directory, key, "config")).mtimeMs]);
    };
    const before = configurations();

    const moved = await runEdge({ stateDir });
    expect(moved.url).not.toBe(edge.url);
    const { signals } = await moved.client().signals();
    expect(signals.map(({ id }) => id)).toEqual(ids);
    expect(configurations()).toEqual(before);
  });

  it("stops cleanly on one Ctrl-C that arrives several times", async () => {
    const edge = await runEdge();
    edge.process.signalGroup("SIGINT");
    edge.process.signal("SIGINT");
    edge.process.signal("SIGINT");
    expect(await edge.process.ended).toBe(0);
  });

  it("has after kill -9 what it had accepted, and takes its runtime with it", async () => {
    const edge = await runEdge();
    const { ids } = await edge.client().emit({ signal: "Q_KEPT", source: "test", facts: { n: 1 } });
    const runtime = runtimePid(edge.stateDir);
    // The process alone, not its group: the runtime has to notice by itself.
    edge.process.signal("SIGKILL");
    await edge.process.ended;

    const next = await runEdge({ stateDir: edge.stateDir, port: Number(new URL(edge.url).port) });
    expect(alive(runtime)).toBe(false);
    expect(next.token).toBe(edge.token);
    const { signals } = await next.client().signals();
    expect(signals.map(({ id }) => id)).toEqual(ids);
  });

  it("ends the runtime that an edge killed with -9 left behind, where the system cannot", async () => {
    const env = { PATH: withoutSetpriv() };
    const edge = await runEdge({ env });
    const orphan = runtimePid(edge.stateDir);
    edge.process.signal("SIGKILL");
    // The orphan holds the pipes of its parent open: its end, not that of the streams, is what is awaited.
    await new Promise((resolve) => edge.process.child.once("exit", resolve));
    expect(alive(orphan)).toBe(true);

    const next = await runEdge({ stateDir: edge.stateDir, port: Number(new URL(edge.url).port), env });
    expect(alive(orphan)).toBe(false);
    expect(next.process.lines.join("\n")).toContain(`process ${orphan}`);
  });

  it("goes on when its runtime is killed, at the same address", async () => {
    const edge = await runEdge();
    const following = edge.client().follow({ after: 0 })[Symbol.asyncIterator]();
    await edge.client().emit({ signal: "Q_BEFORE", source: "test", facts: {} });
    // The kill must break an open stream: one that was not open yet would be refused.
    expect((await within(following.next(), "a signal from the first runtime")).value).toMatchObject({ seq: 1 });
    process.kill(runtimePid(edge.stateDir), "SIGKILL");
    // With an id it is in the log once, however long the new runtime takes to be there.
    const afterwards = { signal: "Q_AFTERWARDS", source: "test", facts: {}, id: "afterwards" };
    await eventually(() => edge.client().emit(afterwards));
    expect((await within(following.next(), "a signal from the new runtime")).value).toMatchObject({ seq: 2 });
    await following.return?.();
  });

  it("refuses a state directory on which another edge runs, and says which", async () => {
    const edge = await runEdge();
    const second = new RunningProcess(["local-edge/main.ts"], {
      env: { GANGLION_PORT: "0", GANGLION_STATE_DIR: edge.stateDir },
    });
    expect(await second.ended).toBe(1);
    expect(second.lines.join("\n")).toContain(
      `Another edge runs on ${edge.stateDir} (process ${edge.process.pid}, ${edge.url})`,
    );
    expect(second.lines.join("\n")).toContain("GANGLION_STATE_DIR");
    expect((await fetch(`${edge.url}/healthz`)).status).toBe(200);
  });

  it("names GANGLION_PORT when its port is taken", async () => {
    const taken = createServer();
    atEnd(() => void taken.close());
    const port = await new Promise<number>((resolve) => {
      taken.listen(0, "127.0.0.1", () => resolve((taken.address() as { port: number }).port));
    });
    const edge = new RunningProcess(["local-edge/main.ts"], {
      env: { GANGLION_PORT: String(port), GANGLION_STATE_DIR: temporaryDirectory() },
    });
    expect(await edge.ended).toBe(1);
    expect(edge.lines.join("\n")).toMatch(new RegExp(`Port ${port} .* is taken .*GANGLION_PORT`));
  });

  it("says what is wrong with a port that is none", async () => {
    const edge = new RunningProcess(["local-edge/main.ts"], { env: { GANGLION_PORT: "80a" } });
    expect(await edge.ended).toBe(1);
    expect(edge.lines).toEqual([expect.stringContaining("GANGLION_PORT")]);
  });

  it("listens on 127.0.0.1 alone, not on the machine's other addresses", async () => {
    const edge = await runEdge();
    const { port } = new URL(edge.url);
    // Every address that begins with 127 is one of this machine: who listens on all addresses answers there, too.
    const tries = ["127.0.0.1", "127.0.0.2"].map(
      (host) =>
        new Promise<string>((resolve) => {
          const socket = connect({ host, port: Number(port) }, () => resolve("open"));
          socket.on("error", ({ code }: NodeJS.ErrnoException) => resolve(code ?? "error"));
          atEnd(() => void socket.destroy());
        }),
    );
    expect(await Promise.all(tries)).toEqual(["open", "ECONNREFUSED"]);
  });

  it("keeps its state where only its owner can look", async () => {
    const stateDir = join(temporaryDirectory(), "state");
    const edge = await runEdge({ stateDir });
    expect(statSync(stateDir).mode & 0o777).toBe(0o700);
    expect(statSync(join(stateDir, "token")).mode & 0o777).toBe(0o600);
    const commandLine =
      readFileSync(`/proc/${edge.process.pid}/cmdline`, "utf8") +
      readFileSync(`/proc/${runtimePid(stateDir)}/cmdline`, "utf8");
    expect(commandLine).not.toContain(edge.token);
    expect(edge.process.lines.join("\n")).not.toContain(edge.token);
  });
});
