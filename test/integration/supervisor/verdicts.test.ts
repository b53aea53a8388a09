import { expect, test } from "vitest";
import { alive } from "../../harness/process-alive.ts";
import { answering, beating, blocked, silent, spinning } from "./agent-programs.ts";
import { supervise } from "./supervisor-under-test.ts";

test("stopped, killed, computing without end, blocked, and waiting for an edge that is away: five verdicts, five right actions", async () => {
  const limits = { heartbeat_seconds: 5 };
  const team = await supervise({
    stopped: { command: beating("working"), ...limits },
    killed: { command: beating("working"), ...limits },
    spinning: { command: spinning, ...limits },
    blocked: { command: blocked, ...limits },
    waiting: { command: beating("waiting"), ...limits },
  });
  const pid: Record<string, number> = {};
  for (const name of team.supervisor.names) {
    const at = await team.until(name, ({ task }) => task !== null, "up and heard of");
    pid[name] = at.pid ?? 0;
  }
  expect(team.supervisor.states(["stopped", "waiting"]).map(({ verdict }) => verdict)).toEqual(["working", "waiting"]);

  process.kill(pid.stopped ?? 0, "SIGSTOP");
  process.kill(pid.killed ?? 0, "SIGKILL");
  const crashed = await team.signal(({ signal }) => signal === "Q_PROCESS_CRASHED", "the crash");
  expect(crashed.facts).toMatchObject({ host: "host-a", agent: "killed", exit_signal: "SIGKILL", task: "t-1" });
  const back = await team.until("killed", ({ state }) => state === "up", "up again");
  expect(back.pid).not.toBe(pid.killed);

  const hung = (agent: string) =>
    team.signal(
      ({ signal, facts }) => signal === "Q_PROCESS_HUNG" && facts.agent === agent,
      `${agent} to be found hung`,
    );
  expect((await hung("stopped")).facts).toMatchObject({ reason: "stopped", action: "resumed" });
  expect((await hung("spinning")).facts).toMatchObject({ reason: "spinning", action: "restarted", task: "t-2" });
  expect((await hung("blocked")).facts).toMatchObject({ reason: "blocked", action: "restarted", task: "t-3" });
  // Told to go on, it goes on: the same process.
  await team.until("stopped", ({ verdict, state }) => verdict === "working" && state === "up", "at work again");
  for (const name of ["spinning", "blocked"]) {
    await team.until(name, ({ state, pid: now }) => state === "up" && now !== pid[name], "replaced");
    expect(alive(pid[name] ?? 0)).toBe(false);
  }
  const [stopped, waiting] = team.supervisor.states(["stopped", "waiting"]);
  expect(stopped).toMatchObject({ pid: pid.stopped, restarts: 0 });
  expect(waiting).toMatchObject({ pid: pid.waiting, verdict: "waiting", restarts: 0, state: "up" });
  await team.stop();
  expect(Object.values(pid).filter(alive)).toEqual([]);
});

test("an agent that is asked for heartbeats is hung when it does not answer one in time, and runs on while it does", async () => {
  const team = await supervise({
    answering: { command: answering, heartbeat_request: { every_seconds: 0.5, answer_seconds: 30 } },
    mute: { command: silent, heartbeat_request: { every_seconds: 0.5, answer_seconds: 0.5 } },
  });
  const { facts } = await team.signal(({ signal }) => signal === "Q_PROCESS_HUNG", "the mute one to be found hung");
  expect(facts).toMatchObject({ agent: "mute", action: "restarted" });
  const at = await team.until("answering", ({ task }) => task === "asked 3", "asked three times");
  expect(at).toMatchObject({ state: "up", restarts: 0 });
  await team.stop();
});
