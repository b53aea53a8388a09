import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ReactionsSettings } from "../../../local-agent/reactions/settings.ts";
import { atEnd } from "../../harness/cleanup.ts";
import { untilFile } from "../../harness/until.ts";
import { ReactingHost } from "./reacting-host.ts";

async function host(settings: Record<string, unknown>): Promise<ReactingHost> {
  const one = new ReactingHost(settings);
  await one.inbox.receive(0, []);
  await one.reactions.start();
  atEnd(() => one.stop());
  return one;
}

/** Says its name, the signal and that it began, and ends when the file `go` is there. */
const waiting = (name: string) =>
  `echo ${name} $GANGLION_SIGNAL_ID >> begun; touch begun.$GANGLION_SIGNAL_ID; until test -e go; do sleep 0.01; done; echo '{"by": "${name}"}'`;
const begun = (one: ReactingHost) => readFileSync(join(one.directory, "begun"), "utf8").trim().split("\n");
const configure = (one: ReactingHost, settings: Record<string, unknown>) =>
  one.reactions.configure(ReactionsSettings.parse(settings));

test("a run that was begun finishes by its old settings, and what waits begins by the new ones", async () => {
  const one = await host({ it: { when: "Q_A", run: { command: waiting("old") }, emits: { completed: "Q_OLD" } } });
  await one.receive(1, "Q_A");
  await one.receive(2, "Q_A");
  await untilFile(join(one.directory, "begun.s1.abc"));
  await configure(one, { it: { when: "Q_B", run: { command: waiting("new") }, emits: { completed: "Q_NEW" } } });
  // It is one at a time, across the change.
  expect(begun(one)).toEqual(["old s1.abc"]);
  await one.receive(3, "Q_A");
  await one.receive(4, "Q_B");
  writeFileSync(join(one.directory, "go"), "");
  const said = await one.until(3);
  expect(said.map(({ signal, cause, facts }) => [signal, cause, facts.by])).toEqual([
    ["Q_OLD", "s1.abc", "old"],
    ["Q_NEW", "s2.abc", "new"],
    ["Q_NEW", "s4.abc", "new"],
  ]);
  expect(begun(one)).toEqual(["old s1.abc", "new s2.abc", "new s4.abc"]);
});

test("what failed by the old settings is tried again by the new ones", async () => {
  const retry = { attempts: 5, backoff_ms: 1 };
  const one = await host({ it: { when: "Q_A", run: { command: "touch failed; exit 1" }, retry } });
  await one.receive(1, "Q_A");
  await untilFile(join(one.directory, "failed"));
  await configure(one, { it: { when: "Q_A", run: { command: 'echo \'{"by": "new"}\'' }, retry } });
  const [said] = await one.until(1);
  expect(said).toMatchObject({ signal: "Q_REACTION_COMPLETE", facts: { by: "new" } });
});

test("more at a time begin at once where the new settings have room for them", async () => {
  const settings = (concurrency: number) => ({ it: { when: "Q_A", run: { command: waiting("it") }, concurrency } });
  const one = await host(settings(1));
  for (const seq of [1, 2, 3]) await one.receive(seq, "Q_A");
  await untilFile(join(one.directory, "begun.s1.abc"));
  await configure(one, settings(3));
  await untilFile(join(one.directory, "begun.s3.abc"));
  writeFileSync(join(one.directory, "go"), "");
  await one.until(3);
  expect(begun(one).sort()).toEqual(["it s1.abc", "it s2.abc", "it s3.abc"]);
});

test("what waits for a reaction that is taken out runs when it is back, once, and nothing reacts meanwhile", async () => {
  const settings = { it: { when: "Q_A", run: { command: waiting("it") } } };
  const one = await host(settings);
  await one.receive(1, "Q_A");
  await one.receive(2, "Q_A");
  await untilFile(join(one.directory, "begun.s1.abc"));
  await configure(one, {});
  expect(one.reactions.report().detail).toBe("0 reactions");
  writeFileSync(join(one.directory, "go"), "");
  await one.until(1);
  await configure(one, settings);
  expect((await one.until(2)).map(({ cause }) => cause)).toEqual(["s1.abc", "s2.abc"]);
  expect(begun(one)).toEqual(["it s1.abc", "it s2.abc"]);
});
