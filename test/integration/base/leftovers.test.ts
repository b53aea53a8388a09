import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { expect, test } from "vitest";
import { endLeftovers, RUN_VARIABLE } from "../../../local-agent/base/process/leftovers.ts";
import { identify, isRunning } from "../../../local-agent/base/process/process-group.ts";
import { atEnd } from "../../harness/cleanup.ts";
import { untilEnded } from "../../harness/process-alive.ts";

/** A group whose leader has a child, as an agent that was killed leaves it. */
async function leave(
  run: string,
  script = "sleep 600 & echo $!; wait",
): Promise<{ leader: ChildProcess; child: number }> {
  const leader = spawn("/bin/sh", ["-c", script], {
    env: { ...process.env, [RUN_VARIABLE]: run },
    detached: true,
    stdio: ["ignore", "pipe", "ignore"],
  });
  atEnd(() => void leader.kill("SIGKILL"));
  const [text] = (await once(leader.stdout, "data")) as [Buffer];
  return { leader, child: Number(text.toString()) };
}

test("leftovers: a group with a recorded leader is ended as a whole, and no other group", async () => {
  const ours = await leave("one");
  const other = await leave("two");
  const leader = identify(ours.leader.pid ?? 0);
  expect(leader && isRunning(leader)).toBe(true);
  expect(await endLeftovers([{ run: "one", leader }])).toBe(1);
  await untilEnded([ours.child]);
  expect(isRunning(identify(other.child) as never)).toBe(true);
  expect(await endLeftovers([{ run: "two", leader: undefined }])).toBe(1);
  await untilEnded([other.child]);
});

test("leftovers: children of a dead leader are found by their mark", async () => {
  const { leader, child } = await leave("three");
  const identity = identify(leader.pid ?? 0);
  leader.kill("SIGKILL");
  await once(leader, "exit");
  expect(await endLeftovers([{ run: "three", leader: identity }])).toBe(1);
  await untilEnded([child]);
});

test("leftovers: a process that ignores SIGTERM is killed", async () => {
  const { leader } = await leave("four", "trap '' TERM; echo 1; while true; do sleep 600; done");
  expect(await endLeftovers([{ run: "four", leader: identify(leader.pid ?? 0) }])).toBe(1);
  await untilEnded([leader.pid ?? 0]);
});

test("leftovers: a process that reuses the id of an ended one is left alone", async () => {
  const { child } = await leave("five");
  const now = identify(child);
  if (now === undefined) throw new Error("it runs");
  expect(isRunning({ ...now, start: now.start - 1 })).toBe(false);
  expect(isRunning({ ...now, boot: "an earlier one" })).toBe(false);
  expect(await endLeftovers([{ run: "six", leader: { ...now, start: now.start - 1 } }])).toBe(0);
  expect(isRunning(now)).toBe(true);
  expect(await endLeftovers([])).toBe(0);
});
