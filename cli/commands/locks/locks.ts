import { Command, Option } from "commander";
import { LockNotAvailable } from "../../../src/client/locks/locks-over.ts";
import type { Lock, LockWait } from "../../../src/core/locks/api.ts";
import { wholeNumber } from "../../arguments.ts";
import { Failure } from "../../failure.ts";
import { at, type Column, print, printFields, printLines, printTable } from "../../output.ts";
import { clientFor, wantsJson } from "../../settings.ts";
import { type AcquireOptions, acquireOptions, lockOptions, ttlOption } from "./options.ts";
import { runCommand } from "./run.ts";

export const lockCommand = () =>
  new Command("lock")
    .alias("locks")
    .summary("hold locks: one owner at a time, or several that share it")
    .addHelpText("after", "\nWithout a command: lists the locks.")
    .action((_options: object, command: Command) => list({}, command))
    .addCommand(
      new Command("list")
        .summary("list what is held, and who waits")
        .option("--name <name>", "only locks that meet this name, which may have wildcards")
        .option("--owner <owner>", "only locks of this owner")
        .addHelpText("after", "\nWith --json: one lock or wait a line; a wait has no fence.")
        .action((options: ListOptions, command: Command) => list(options, command)),
    )
    .addCommand(
      acquireOptions(new Command("acquire"))
        .summary("acquire a lock, and leave it to somebody else to renew and release it")
        .argument("<name>", "name of the lock, such as port:8080 or 'tree:/srv/app/**'")
        .addHelpText(
          "after",
          "\nPrints the fence, with which the lock is renewed and released. Exit code 1: it is not to be had. With --json: one document.",
        )
        .action(async (name: string, options: AcquireOptions, command: Command) => {
          const { locks } = clientFor(command);
          const { owner, ttlMs, waitMs, mode, task } = lockOptions(name, options);
          const lock = await acquired(locks, name, { owner, ttlMs, waitMs: waitMs ?? 0, mode, task });
          if (wantsJson(command)) return print(JSON.stringify({ ...lock, owner }));
          await printFields({ lock: lock.name, owner, mode: lock.mode, fence: lock.fence, expires: lock.expires_at });
        }),
    )
    .addCommand(
      new Command("renew")
        .summary("hold a lock for longer")
        .argument("<name>", "name of the lock")
        .addOption(fenceOption())
        .option(...ttlOption)
        .addHelpText("after", "\nWith --json: one document.")
        .action(async (name: string, { fence, ttl = 30_000 }: { fence: number; ttl?: number }, command: Command) => {
          const lock = await clientFor(command).locks.renew(name, fence, ttl);
          if (wantsJson(command)) return print(JSON.stringify(lock));
          await printFields({ lock: lock.name, fence: lock.fence, expires: lock.expires_at });
        }),
    )
    .addCommand(
      new Command("release")
        .summary("release a lock; an administrator releases those of others, too")
        .argument("<name>", "name of the lock")
        .addOption(fenceOption())
        .addHelpText("after", "\nWith --json: one document.")
        .action(async (name: string, { fence }: { fence: number }, command: Command) => {
          await clientFor(command).locks.release(name, fence);
          if (wantsJson(command)) return print(JSON.stringify({ released: name, fence }));
          await printFields({ released: name });
        }),
    )
    .addCommand(runCommand());

const fenceOption = () =>
  new Option("--fence <fence>", "fence of the holding, as acquire and list show it")
    .argParser(wholeNumber(1))
    .makeOptionMandatory();

type Locks = ReturnType<typeof clientFor>["locks"];

/** One request waits a minute at most, and the next keeps its place. */
async function acquired(locks: Locks, name: string, options: Parameters<Locks["acquireWaiting"]>[1]) {
  const answer = await locks.acquireWaiting(name, options);
  if (!answer.held) throw new Failure(new LockNotAvailable(name, answer).message);
  return answer;
}

interface ListOptions {
  readonly name?: string;
  readonly owner?: string;
}

type Row = Lock | LockWait;

const columns: readonly Column<Row>[] = [
  ["LOCK", ({ name }) => name, "key"],
  ["OWNER", ({ owner }) => owner],
  ["STATE", (row) => ("fence" in row ? row.mode : waitsFor(row)), "state"],
  ["SINCE", (row) => ("fence" in row ? at(row.acquired_at) : at(row.since))],
  ["EXPIRES", (row) => ("fence" in row ? at(row.expires_at) : "")],
  ["WAITING", (row) => ("fence" in row && row.waiting > 0 ? String(row.waiting) : "")],
  ["FENCE", (row) => ("fence" in row ? String(row.fence) : "")],
  ["FOR", ({ task }) => task ?? "", "text"],
];

const waitsFor = ({ blocked_by: by }: LockWait) => (by === null ? "waits" : `waits for ${by.owner}`);

async function list(query: ListOptions, command: Command): Promise<void> {
  const { locks } = clientFor(command);
  const rows: Row[] = [];
  let waits: readonly LockWait[] = [];
  for (let after: string | undefined, first = true; first || after !== undefined; first = false) {
    const page = await locks.list({ ...query, after, limit: 1_000 });
    rows.push(...page.locks);
    ({ waits } = page);
    after = page.next ?? undefined;
  }
  rows.push(...waits);
  if (wantsJson(command)) return printLines(rows);
  await printTable(rows, columns, "no locks");
}
