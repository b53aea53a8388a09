import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { HostCommands } from "../../../local-agent/commands/host-commands.ts";
import { registerReactionCommands } from "../../../local-agent/reactions/commands.ts";
import { atEnd } from "../../harness/cleanup.ts";
import { untilFile } from "../../harness/until.ts";
import { ReactingHost } from "./reacting-host.ts";

const named = (name: string) => (said: { signal: string }) => said.signal === name;

async function host(settings: Record<string, unknown>, earlier?: ReactingHost): Promise<ReactingHost> {
  const one = new ReactingHost(settings, earlier?.directory);
  // An inbox knows no place in the log before something arrived.
  if (earlier === undefined) await one.inbox.receive(0, []);
  await one.reactions.start();
  atEnd(() => one.stop());
  return one;
}

test("a command gets the signal on standard input, and what it prints as JSON is told with cause and trace", async () => {
  const one = await host({
    build: {
      when: "Q_BUILD_*",
      run: { command: "echo working; cat" },
      emits: { completed: "Q_BUILT" },
      pass_on: ["branch"],
    },
  });
  await one.receive(1, "Q_BUILD_WANTED", { branch: "main" }, { trace: `00-${"a".repeat(32)}-${"b".repeat(16)}-01` });
  const [said] = await one.until(1);
  expect(said).toMatchObject({
    signal: "Q_BUILT",
    cause: "s1.abc",
    source: "reaction/build/host-a",
    facts: { reaction: "build", trigger_id: "s1.abc", exit_code: 0, branch: "main", signal: "Q_BUILD_WANTED" },
  });
  expect(said?.trace).toMatch(new RegExp(`^00-${"a".repeat(32)}-`));
});

test("only signals of the pattern that fit the condition, and never its own words, are reacted to", async () => {
  const one = await host({ it: { when: ["*", "!Q_NOT_*"], where: "facts.n > 1", run: { command: "true" } } });
  await one.receive(1, "Q_NOT_THIS", { n: 5 });
  await one.receive(2, "Q_THIS", { n: 1 });
  await one.receive(3, "Q_THIS", { text: "without n" });
  await one.receive(4, "Q_THIS", { n: 5 }, { source: "reaction/it/host-b" });
  await one.receive(5, "Q_THIS", { n: 2 });
  expect((await one.until(1)).map(({ cause }) => cause)).toEqual(["s5.abc"]);
});

test("the same signal again, from a log that begins anew, is known by its id", async () => {
  const one = await host({ it: { when: "Q_A", run: { command: "echo x >> runs" } } });
  await one.receive(1, "Q_A");
  await one.until(1);
  await one.inbox.restart(0);
  await one.receive(1, "Q_A");
  await one.receive(2, "Q_A");
  await one.until(2);
  expect(readFileSync(join(one.directory, "runs"), "utf8")).toBe("x\nx\n");
});

test("a failure is tried again after a pause, then given up, told, kept as a dead letter, and run again when asked", async () => {
  const one = await host({
    it: {
      when: "Q_A",
      run: { command: "echo run >> runs; echo why >&2; test -e fine" },
      retry: { attempts: 3, backoff_ms: 5 },
    },
  });
  await one.receive(1, "Q_A");
  const [said] = await one.until(1);
  expect(said).toMatchObject({
    signal: "Q_REACTION_FAILED",
    facts: { reaction: "it", attempts: 3, exit_code: 1, stderr: "why", error: "the command ended with status 1" },
  });
  expect(readFileSync(join(one.directory, "runs"), "utf8").length).toBe(3 * 4);
  await untilFile(join(one.directory, "dead.jsonl"));
  await one.deadLetters.flush();
  expect(JSON.parse(readFileSync(join(one.directory, "dead.jsonl"), "utf8"))).toMatchObject({
    id: "host-a.reaction.it.s1.abc",
    kind: "reaction",
    signal: { id: "s1.abc" },
    attempts: 3,
  });
  // Written with the step that gave it up: the edge hears of it, whatever crashes then.
  expect(one.deadLetterOutbox.next()?.deadLetters.map((text) => JSON.parse(text).id)).toEqual([
    "host-a.reaction.it.s1.abc",
  ]);
  writeFileSync(join(one.directory, "fine"), "");
  const work = new HostCommands();
  registerReactionCommands({ command: (type, handler) => void work.add(type, handler) }, one.reactions);
  const context = { signal: new AbortController().signal };
  const replay = (payload: object) => work.run("reaction.replay", payload, context);
  expect(await work.run("reaction.status", {}, context)).toEqual({
    reactions: [{ name: "it", waiting: 0, running: 0, dead: 1 }],
  });
  const letter = JSON.parse(readFileSync(join(one.directory, "dead.jsonl"), "utf8")) as object;
  expect(await replay(letter)).toEqual({ outcome: "replayed" });
  expect((await one.until(2))[1]?.signal).toBe("Q_REACTION_COMPLETE");
  expect(await replay({ reaction: "it", signal_id: "s1.abc" })).toEqual({ outcome: "already" });
  await expect(replay({ reaction: "it", signal_id: "s9.abc" })).rejects.toThrow(/knows nothing of s9.abc/);
  await expect(replay({ reaction: "other", signal_id: "s1.abc" })).rejects.toThrow(
    /no reaction to signals named other/,
  );
  await expect(replay({})).rejects.toThrow(/give \{reaction: <name>, signal_id: <id>\}/);
});

test("one at a time by default, as many as wanted otherwise, and a slow one holds up no other", async () => {
  // Each marks that it is there, notes how many are, and waits to be let go.
  const command =
    "touch here.$GANGLION_REACTION.$GANGLION_SIGNAL_ID; until test -e go.$GANGLION_REACTION; do sleep 0.01; done";
  const one = await host({
    single: { when: "Q_A", run: { command } },
    double: { when: "Q_A", run: { command }, concurrency: 2 },
    quick: { when: "Q_A", run: { command: "true" } },
  });
  for (let seq = 1; seq <= 3; seq++) await one.receive(seq, "Q_A");
  await one.until(3, ({ facts }) => facts.reaction === "quick");
  const here = (reaction: string, seq: number) => join(one.directory, `here.${reaction}.s${seq}.abc`);
  await untilFile(here("single", 1));
  await untilFile(here("double", 2));
  expect([here("single", 2), here("double", 3)].map(existsSync)).toEqual([false, false]);
  writeFileSync(join(one.directory, "go.single"), "");
  writeFileSync(join(one.directory, "go.double"), "");
  const said = await one.until(9);
  const order = said.filter(({ facts }) => facts.reaction === "single").map(({ cause }) => cause);
  expect(order).toEqual(["s1.abc", "s2.abc", "s3.abc"]);
});

test("what runs when the agent stops is stopped, and runs again or is reported as it says", async () => {
  const settings = Object.fromEntries(
    (["retry", "report"] as const).map((on_crash) => [
      on_crash,
      {
        when: "Q_A",
        run: { command: `echo >> runs.${on_crash}; touch ${on_crash}; test -e fine || sleep 600` },
        retry: { on_crash },
      },
    ]),
  );
  const one = await host(settings);
  await one.receive(1, "Q_A");
  await Promise.all([untilFile(join(one.directory, "retry")), untilFile(join(one.directory, "report"))]);
  await one.stop();
  writeFileSync(join(one.directory, "fine"), "");
  const again = await host(settings, one);
  const said = await again.until(2);
  expect(said.map(({ signal, facts }) => `${signal} ${facts.reaction}`)).toEqual([
    "Q_REACTION_FAILED report",
    "Q_REACTION_COMPLETE retry",
  ]);
  expect(said[0]?.facts.error).toMatch(/the agent was stopped during the run/);
  expect(readFileSync(join(one.directory, "runs.report"), "utf8")).toBe("\n");
});

test("a time limit is a failure, and says so", async () => {
  const one = await host({ it: { when: "Q_A", run: { command: "sleep 600" }, timeout_ms: 100 } });
  await one.receive(1, "Q_A");
  expect((await one.until(1))[0]?.facts.error).toBe("the command did not end within 100 ms and was stopped");
});

test("what a command says that no edge would take is a failure, and not tried again", async () => {
  const one = await host({
    it: {
      when: "Q_A",
      run: { command: "echo '{\"module_name\": 3}'" },
      emits: { completed: "Q_MODULE_INTEGRATED" },
      retry: { attempts: 5 },
    },
  });
  await one.receive(1, "Q_A");
  expect((await one.until(1))[0]).toMatchObject({
    signal: "Q_REACTION_FAILED",
    facts: { attempts: 1, error: /Q_MODULE_INTEGRATED is not a valid signal: \/facts\/module_name/ },
  });
});

test("lines of output are told as progress where that is wanted, no more often than allowed", async () => {
  const one = await host({
    it: { when: "Q_A", run: { command: "for n in 1 2 3 4 5; do echo line $n; done" }, progress_ms: 60_000 },
  });
  await one.receive(1, "Q_A");
  await one.until(1, named("Q_REACTION_COMPLETE"));
  const progress = one.said.filter(named("Q_REACTION_PROGRESS"));
  expect(progress.map(({ facts }) => facts.line)).toEqual(["line 1"]);
});

test("a thousand signals that wait are all reacted to, in order", async () => {
  const one = await host({ it: { when: "Q_A", where: "facts.n >= 990", run: { command: ["true"] } } });
  for (let seq = 1; seq <= 1_000; seq++) await one.receive(seq, "Q_A", { n: seq });
  expect((await one.until(11)).map(({ cause }) => cause)).toEqual(
    Array.from({ length: 11 }, (_, n) => `s${990 + n}.abc`),
  );
});

test("a circle of reactions is cut off, and nothing more is said that could keep it going", async () => {
  const one = await host({ it: { when: "*", run: { command: "true" } } });
  await one.receive(1, "Q_A", {}, { depth: 15 });
  expect((await one.until(1))[0]).toMatchObject({ signal: "Q_REACTION_COMPLETE", depth: 16 });
  await one.receive(2, "Q_A", {}, { depth: 16 });
  await untilFile(join(one.directory, "dead.jsonl"));
  await one.deadLetters.flush();
  expect(JSON.parse(readFileSync(join(one.directory, "dead.jsonl"), "utf8")).error).toMatch(/chain of causes is 16/);
  expect(one.said).toHaveLength(1);
});
