import { mkdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { CommandRefused } from "../../../local-agent/feature/command.ts";
import { AgentsSettings } from "../../../local-agent/supervisor/settings.ts";
import { type AgentState, stateInWords } from "../../../src/core/supervisor/api.ts";
import { temporaryDirectory } from "../../harness/cleanup.ts";
import { alive, untilEnded } from "../../harness/process-alive.ts";
import { beating, deaf, echo, ending, greedy, parent, silent, telling } from "./agent-programs.ts";
import { logOf, saidIn, supervise } from "./supervisor-under-test.ts";

const up = ({ state, task, verdict }: AgentState) => state === "up" && (task !== null || verdict === "idle");
const answer = (result: unknown) => (result as { agents: AgentState[] }).agents;

describe("a supervisor", () => {
  it("shows process, uptime, use, task and restarts of each agent", async () => {
    const team = await supervise({
      coder: { command: beating("working") },
      quiet: { command: silent },
      large: { command: greedy(100) },
    });
    await team.until("coder", ({ task, cpu_percent }) => task === "t-1" && cpu_percent !== null, "measured");
    await team.until("large", ({ memory_mb }) => (memory_mb ?? 0) > 100, "measured with what it holds");
    // A program that starts on a busy machine uses its processor for a while, and then does not.
    const quiet = await team.until(
      "quiet",
      (state) => stateInWords(state) === "running (silent)",
      "running and silent",
    );
    const askedMs = Date.now();
    const [coder] = answer(await team.command("supervisor.status"));
    expect(coder).toMatchObject({ name: "coder", state: "up", verdict: "working", task: "t-1", restarts: 0 });
    expect(alive(coder?.pid ?? 0)).toBe(true);
    expect(coder?.uptime_ms).toBeGreaterThan(0);
    expect(coder?.memory_mb).toBeGreaterThan(5);
    // Both are rounded to the millisecond.
    const statedMs = Date.parse(coder?.started_at ?? "") + (coder?.uptime_ms ?? 0);
    expect(statedMs).toBeGreaterThanOrEqual(askedMs - 2);
    expect(statedMs).toBeLessThanOrEqual(Date.now() + 2);
    expect(quiet).toMatchObject({ state: "up", task: null, silent: true });
    expect(coder).toMatchObject({ silent: false });
    expect(stateInWords(coder as AgentState)).toBe("working");
    expect(team.supervisor.report()).toMatchObject({ state: "live", detail: "3 of 3 up" });
  });

  it("shows a program that sends no heartbeats as working while it uses CPU", async () => {
    const team = await supervise({ busy: { command: ["bash", "-c", "while :; do :; done"] } });
    await team.until("busy", ({ verdict, silent }) => verdict === "working" && silent === true, "seen at work");
  });

  it("gives up after three restarts in a row, says so, and starts it when it is told to", async () => {
    const team = await supervise({ broken: { command: ending(3) } });
    const gaveUp = await team.signal(({ signal }) => signal === "Q_PROCESS_GAVE_UP", "giving up");
    expect(gaveUp.facts).toEqual({
      host: "host-a",
      agent: "broken",
      reason: "the process ended with code 3",
      restarts_in_row: 3,
    });
    expect(saidIn(logOf(team.stateDir, "broken")).match(/^bye$/gm)).toHaveLength(4);
    expect(team.supervisor.report()).toMatchObject({ state: "failing", detail: "0 of 1 up, 1 given up" });
    const [state] = answer(await team.command("supervisor.start", { names: ["broken"] }));
    expect(state?.state).toBe("up");
  });

  it("tells what keeps an agent from being started", async () => {
    const team = await supervise({
      missing: { command: ["no-such-program"], max_restarts: 0 },
      astray: { command: silent, directory: "no/such/directory", max_restarts: 0 },
    });
    await team.until("missing", ({ state }) => state === "gave_up", "given up");
    await team.until("astray", ({ state }) => state === "gave_up", "given up");
    expect(team.supervisor.states().map(({ detail }) => detail)).toEqual([
      "the process could not be started: there is no program no-such-program",
      expect.stringMatching(/^the process could not be started: the directory .*no\/such\/directory does not exist$/),
    ]);
  });

  it("stops, starts and restarts by name, and refuses names that it does not know", async () => {
    const team = await supervise({ a: { command: beating("idle") }, b: { command: beating("idle") } });
    const first = await team.until("a", up, "up");
    await team.until("b", up, "up");
    const [stopped] = answer(await team.command("supervisor.stop", { names: ["a"] }));
    expect(stopped).toMatchObject({ state: "stopped", verdict: "dead", pid: null, desired: "stopped" });
    expect(alive(first.pid ?? 0)).toBe(false);
    const [started] = answer(await team.command("supervisor.start", { names: ["a"] }));
    expect(started).toMatchObject({ state: "up", restarts: 0 });
    const [restarted] = answer(await team.command("supervisor.restart", { names: ["a"] }));
    expect(restarted).toMatchObject({ state: "up", restarts: 1 });
    expect(restarted?.pid).not.toBe(started?.pid);
    const { facts } = await team.signal(({ signal }) => signal === "Q_PROCESS_RESTARTED", "word of the restart");
    expect(facts.reason).toBe("a restart was requested");
    await expect(team.command("supervisor.stop", { names: ["c", "a"] })).rejects.toThrow(
      new CommandRefused("this host has no agent c; it has a, b"),
    );
    await expect(team.command("supervisor.stop", { names: "a" })).rejects.toThrow(CommandRefused);
    expect(answer(await team.command("supervisor.stop")).map(({ state }) => state)).toEqual(["stopped", "stopped"]);
  });

  it("kills one that does not stop in its time, or at once when it is told to by force", async () => {
    const team = await supervise({
      patient: { command: deaf, stop_seconds: 0.5 },
      forced: { command: deaf, stop_seconds: 3_600 },
    });
    for (const name of ["patient", "forced"]) await team.until(name, ({ task }) => task === "deaf", "up");
    const [one] = answer(await team.command("supervisor.stop", { names: ["patient"] }));
    const [other] = answer(await team.command("supervisor.stop", { names: ["forced"], force: true }));
    expect([one?.state, other?.state]).toEqual(["stopped", "stopped"]);
    expect(team.announced()).toEqual([]);
    await team.stop();
    expect(saidIn(logOf(team.stateDir, "patient"))).toMatch(/SIGTERM was sent\n(no\n)?.*SIGKILL was sent/);
    expect(saidIn(logOf(team.stateDir, "forced"))).toMatch(/started\n.*SIGKILL was sent\n.*was ended by SIGKILL/);
  });

  it("remembers over restarts of its own what people wanted", async () => {
    const stateDir = temporaryDirectory();
    const agents = { a: { command: beating("idle") }, b: { command: beating("idle") } };
    const team = await supervise(agents, { stateDir });
    await team.command("supervisor.stop", { names: ["a"] });
    await team.stop();
    const again = await supervise(agents, { stateDir });
    await again.until("b", up, "up");
    expect(again.supervisor.states(["a"])).toMatchObject([{ state: "stopped", desired: "stopped" }]);
    await again.command("supervisor.start", { names: ["a"] });
    await again.stop();
    const third = await supervise(agents, { stateDir });
    await third.until("a", up, "up");
  });

  it("goes on with other definitions, and disturbs nobody whose own did not change", async () => {
    const kept = { command: beating("idle") };
    const team = await supervise({ kept, changed: { command: beating("idle") }, gone: { command: silent } });
    const pids: Record<string, number | null> = {};
    for (const name of team.supervisor.names) pids[name] = (await team.until(name, up, "up")).pid;
    await team.supervisor.reload(
      AgentsSettings.parse({ kept, changed: { command: beating("working") }, fresh: { command: silent } }),
    );
    expect(team.supervisor.names.sort()).toEqual(["changed", "fresh", "kept"]);
    await team.until("changed", ({ verdict }) => verdict === "working", "at work as it is defined now");
    await team.until("fresh", up, "up");
    expect(team.supervisor.states(["kept"])).toMatchObject([{ pid: pids.kept, restarts: 0 }]);
    expect([pids.changed, pids.gone].map((pid) => alive(pid ?? 0))).toEqual([false, false]);
  });

  it("leaves nothing behind that an agent had started", async () => {
    const team = await supervise({ parent: { command: parent } });
    const { task, pid } = await team.until("parent", (state) => state.task !== null, "up with a child");
    const grandchild = Number(task);
    expect(alive(grandchild)).toBe(true);
    process.kill(pid ?? 0, "SIGKILL");
    await untilEnded([grandchild]);
    const next = await team.until("parent", (state) => state.task !== null && state.pid !== pid, "back with a child");
    await team.stop();
    await untilEnded([Number(next.task)]);
  });

  it("replaces one that holds more memory than it may, and says why", async () => {
    const team = await supervise({ greedy: { command: greedy(200), memory_mb: 150, limit_seconds: 0.5 } });
    const { facts } = await team.signal(({ signal }) => signal === "Q_PROCESS_LIMIT_EXCEEDED", "the limit to be seen");
    expect(facts).toMatchObject({ agent: "greedy", limit_of: "memory", limit: 150, unit: "MiB" });
    // It was measured while it grew, perhaps.
    expect(facts.used).toBeGreaterThan(150);
    const { facts: restarted } = await team.signal(({ signal }) => signal === "Q_PROCESS_RESTARTED", "its restart");
    expect(restarted.reason).toBe("the memory limit was exceeded");
  });

  it("wakes an agent by its schedule with a message, and emits a signal, unless a person stopped it", async () => {
    const every = { cron: "* * * * * *", time_zone: "Europe/Berlin" };
    const team = await supervise({
      reporter: {
        command: echo,
        schedules: [{ ...every, message: { do: "report" }, emit: { signal: "Q_REPORT_DUE", facts: { of: "week" } } }],
      },
      finisher: { command: ending(0), schedules: [every] },
    });
    expect(team.supervisor.states().map(({ desired }) => desired)).toEqual(["on_demand", "on_demand"]);
    const { facts } = await team.signal(({ signal }) => signal === "Q_REPORT_DUE", "the schedule");
    expect(facts).toEqual({ host: "host-a", agent: "reporter", of: "week" });
    await team.until("reporter", up, "up");
    await team.until("reporter", ({ log }) => saidIn(log).includes('heard {"do":"report"}'), "told the message");
    // One that ended well is not started before its time.
    await team.until("finisher", ({ log }) => saidIn(log).split("\nbye\n").length > 2, "woken twice");
    expect(team.announced().filter(({ facts: { agent } }) => agent === "finisher")).toEqual([]);
    const [stopped] = answer(await team.command("supervisor.stop", { names: ["reporter"] }));
    expect(Date.parse(stopped?.next_wake_at ?? "") - Date.now()).toBeLessThanOrEqual(1_000);
    const due = team.announced().filter(({ signal }) => signal === "Q_REPORT_DUE").length;
    await team.signal(
      () => team.announced().filter(({ signal }) => signal === "Q_REPORT_DUE").length > due + 1,
      "time to pass",
    );
    expect(team.supervisor.states(["reporter"])).toMatchObject([{ state: "stopped" }]);
  });

  it("tells an agent where it is, and gives a token only where that was said", async () => {
    const stateDir = temporaryDirectory();
    writeFileSync(join(stateDir, "coder.token"), "its-own\n");
    const command = telling("GANGLION_URL", "GANGLION_AGENT", "GANGLION_HOST_ID", "GANGLION_TOKEN", "COLOUR");
    const team = await supervise(
      {
        coder: { command, token_file: "coder.token", environment: { COLOUR: "green" } },
        plain: { command },
        trusted: { command, token: "own" },
      },
      { stateDir },
    );
    const said = async (name: string) => {
      await team.until(name, ({ log }) => saidIn(log).includes("COLOUR="), "heard");
      return saidIn(logOf(stateDir, name)).split("\n").slice(1, 6);
    };
    expect(await said("coder")).toEqual([
      "GANGLION_URL=http://127.0.0.1:9",
      "GANGLION_AGENT=coder",
      "GANGLION_HOST_ID=host-a",
      "GANGLION_TOKEN=its-own",
      "COLOUR=green",
    ]);
    expect(await said("plain")).toContain("GANGLION_TOKEN=undefined");
    expect(await said("trusted")).toContain("GANGLION_TOKEN=secret");
  });

  it("gives out the last lines of what was said, from earlier files where the newest has just been begun", async () => {
    const stateDir = temporaryDirectory();
    mkdirSync(join(stateDir, "agents"));
    const log = logOf(stateDir, "quiet");
    writeFileSync(`${log}.2`, "one\ntwo\n");
    // A file is full in the middle of a line.
    writeFileSync(`${log}.1`, "three\nfo");
    writeFileSync(log, "ur\nfive\n");
    const team = await supervise({ quiet: { command: silent, autostart: false } }, { stateDir });
    const last = async (lines: number) =>
      ((await team.command("supervisor.logs", { name: "quiet", lines })) as { lines: string[] }).lines;
    expect(await last(1)).toEqual(["five"]);
    expect(await last(3)).toEqual(["three", "four", "five"]);
    expect(await last(50)).toEqual(["one", "two", "three", "four", "five"]);
    writeFileSync(`${log}.1`, `${"x".repeat(100_000)}\nfo`);
    expect(await team.command("supervisor.logs", { name: "quiet", lines: 50 })).toEqual({
      path: log,
      lines: ["four", "five"],
      truncated: true,
    });
  });

  it("keeps what agents say in files of bounded size, and gives out the last lines", async () => {
    const chatty = [
      process.execPath,
      "-e",
      `let n = 0; setInterval(() => console.log("line " + ++n + " " + "x".repeat(90)), 1)`,
    ];
    const team = await supervise({ chatty: { command: chatty, log: { max_mb: 0.01, keep: 3 } } });
    const log = logOf(team.stateDir, "chatty");
    const size = (file: string) => statSync(file, { throwIfNoEntry: false })?.size;
    await team.until("chatty", () => size(`${log}.2`) !== undefined, "heard much of");
    await team.stop();
    expect(size(`${log}.3`)).toBeUndefined();
    for (const file of [log, `${log}.1`, `${log}.2`]) expect(size(file)).toBeLessThan(100 * 1024);
    const again = await supervise({ chatty: { command: ending(0), autostart: false } }, { stateDir: team.stateDir });
    const { lines, path } = (await again.command("supervisor.logs", { name: "chatty", lines: 2 })) as Record<
      string,
      unknown
    >;
    expect(path).toBe(log);
    expect(lines).toEqual([
      expect.stringMatching(/SIGTERM was sent|^line/),
      expect.stringMatching(/was ended by SIGTERM$/),
    ]);
    expect(statSync(log).mode & 0o777).toBe(0o600);
  });
});
