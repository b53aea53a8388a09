import { Command, Option } from "commander";
import { BULK_ACTIONS, type BulkAction, STANDINGS, type TaskFilter } from "../../../src/core/queue/bulk.ts";
import type { PauseState } from "../../../src/core/queue/pause.ts";
import { QueueSettingsChange } from "../../../src/core/queue/queue-settings.ts";
import { lengthOfTime } from "../../arguments.ts";
import { Failure, UsageError } from "../../failure.ts";
import { print, printFields, remark } from "../../output.ts";
import { clientFor, wantsJson } from "../../settings.ts";

const ONE_DOCUMENT = "\nWith --json: one document.";

const pause = () =>
  new Command("pause")
    .summary("have a queue take tasks and give none out; what workers hold goes on")
    .argument("<name>")
    .option("--reason <text>", "why, for people who meet the pause")
    .addHelpText("after", ONE_DOCUMENT)
    .action(async (name: string, { reason }: { reason?: string }, command: Command) =>
      showPause(await clientFor(command).queues.pause(name, reason), command),
    );

const resume = () =>
  new Command("resume")
    .summary("have a paused queue give out tasks again")
    .argument("<name>")
    .addHelpText("after", ONE_DOCUMENT)
    .action(async (name: string, _options: object, command: Command) =>
      showPause(await clientFor(command).queues.resume(name), command),
    );

async function showPause(state: PauseState, command: Command): Promise<void> {
  if (wantsJson(command)) return print(JSON.stringify(state));
  const { queue, paused } = state;
  await printFields(paused === null ? { queue, paused: "no" } : { queue, paused: paused.since, ...paused });
}

interface BulkOptions {
  readonly status?: TaskFilter["status"];
  readonly recipient?: string;
  readonly type?: string;
  readonly olderThan?: number;
  readonly yes?: true;
}

const DONE: Readonly<Record<BulkAction, string>> = { purge: "purged", cancel: "cancelled", retry: "queued again" };
const WHAT: Readonly<Record<BulkAction, string>> = {
  purge: "take tasks of a filter out of a queue, without a trace (default: those that wait)",
  cancel: "cancel the unfinished tasks of a filter",
  retry: "queue the failed tasks of a filter again",
};

const bulk = (action: BulkAction) =>
  new Command(action)
    .summary(WHAT[action])
    .argument("<name>")
    .addOption(new Option("--status <status>", "only tasks that stand so, or ended so").choices(STANDINGS))
    .option("--recipient <name>", "only tasks of this recipient")
    .option("--type <type>", "only tasks of this type")
    .option("--older-than <length>", "only tasks that came, or ended, so long ago (10m, 2h, 7d)", lengthOfTime)
    .option("--yes", "do it, instead of counting the tasks that match")
    .addHelpText("after", ONE_DOCUMENT)
    .action(async (name: string, { status, recipient, type, olderThan, yes }: BulkOptions, command: Command) => {
      const { queues } = clientFor(command);
      const filter: TaskFilter = {
        ...(status && { status }),
        ...(recipient && { recipient }),
        ...(type && { type }),
        ...(olderThan === undefined ? {} : { older_than_ms: olderThan }),
      };
      const answer = await queues.bulk(name, action, filter, yes !== true);
      if (wantsJson(command)) await print(JSON.stringify(answer));
      else if (answer.dry_run) await printFields({ queue: name, matched: answer.matched });
      else await printFields({ queue: name, matched: answer.matched, [DONE[action]]: answer.done });
      if (answer.dry_run && answer.matched > 0) remark(`nothing was changed: give --yes, and they are ${DONE[action]}`);
      if (answer.running) remark(`it goes on: see ganglion queue ${name}`);
      if (answer.stopped !== undefined) throw new Failure(`not all were ${DONE[action]}: ${answer.stopped}`);
    });

const SETTINGS = "settings as name=value, such as capacity=500 overflow=drop_oldest alert_depth=null";

const create = () =>
  new Command("create")
    .summary("make a queue before its first task")
    .argument("<name>")
    .argument("[settings...]", SETTINGS)
    .addHelpText("after", ONE_DOCUMENT)
    .action(async (name: string, settings: string[], _options: object, command: Command) => {
      const made = await clientFor(command).queues.create(name, settingsOf(settings));
      if (wantsJson(command)) return print(JSON.stringify(made));
      await printFields({ queue: name, created: made.created ? "yes" : "no: it exists" });
    });

const set = () =>
  new Command("set")
    .summary("show the settings of a queue, or change some")
    .argument("<name>")
    .argument("[settings...]", SETTINGS)
    .addHelpText("after", ONE_DOCUMENT)
    .action(async (name: string, given: string[], _options: object, command: Command) => {
      const { queues } = clientFor(command);
      const change = settingsOf(given);
      // A name that is mistyped must make no queue.
      const { settings: before } = await queues.status(name);
      const settings = given.length === 0 ? before : await queues.configure(name, change);
      if (wantsJson(command)) return print(JSON.stringify(settings));
      await printFields(settings);
    });

function settingsOf(given: readonly string[]): QueueSettingsChange {
  const fields = given.map((text) => {
    const at = text.indexOf("=");
    if (at < 1) throw new UsageError(`"${text}" is no setting: give it as name=value, such as capacity=500`);
    return [text.slice(0, at), settingOf(text.slice(at + 1))] as const;
  });
  const read = QueueSettingsChange.safeParse(Object.fromEntries(fields));
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  throw new UsageError(
    `${issue?.path.join(".") || "settings"}: ${issue?.message}. See docs/queue.md for all settings.`,
  );
}

/** JSON, or else a text: `drop_oldest` needs no quotes. */
function settingOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** What people do to a queue as a whole. */
export const administrationCommands = (): Command[] => [create(), pause(), resume(), ...BULK_ACTIONS.map(bulk), set()];
