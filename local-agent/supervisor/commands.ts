import { open } from "node:fs/promises";
import * as z from "zod";
import { CommandRefused } from "../feature/command.ts";
import type { Registrar } from "../feature/registrar.ts";
import { followLog } from "./follow-log.ts";
import type { Supervisor } from "./supervisor.ts";

const Names = z.object({ names: z.array(z.string()).optional() });
const Forced = Names.extend({ force: z.boolean().default(false) });
const Logs = z.object({
  name: z.string().optional(),
  lines: z.int().min(1).max(10_000).default(50),
  /** `next` of the answer before. */
  after: z.string().max(64).optional(),
  /** Whether the answer says where the next one goes on. */
  follow: z.boolean().default(false),
});

/** The end of a log that is looked through for its last lines: an answer has to fit into a task's result. */
const LOG_END_BYTES = 48 * 1024;

/**
 * The supervisor's commands: `supervisor.status`, `.start`, `.wake` (of those that messages may start), `.stop` and `.restart` with `{names?, force?}` answer
 * `{agents}`, all agents where no names are given; `supervisor.logs` with `{name?, lines?}` answers `{path, lines}` of one
 * agent, or of all together, and `truncated: true` where the log has more of the lines that were wanted than an answer holds.
 * With `follow` the answer has `next`, after which the next one goes on (`{name?, after}`).
 */
export function registerSupervisorCommands(register: Pick<Registrar, "command">, supervisor: Supervisor): void {
  const named = (payload: unknown) => {
    const { names, force } = read(Forced, payload);
    const unknown = (names ?? []).filter((name) => !supervisor.names.includes(name));
    if (unknown.length > 0) throw new CommandRefused(noSuch(unknown, supervisor.names));
    return { names: names === undefined || names.length === 0 ? supervisor.names : names, force };
  };
  register.command("supervisor.status", (payload) => ({ agents: supervisor.states(named(payload).names) }));
  register.command("supervisor.start", async (payload) => ({
    agents: await supervisor.command({ type: "start" }, named(payload).names),
  }));
  register.command("supervisor.wake", async (payload) => {
    const { names } = named(payload);
    const woken = supervisor.states(names).filter(({ wakes_on_mail }) => wakes_on_mail === true);
    const started = woken.map(({ name }) => name);
    // One that a person has stopped stays so.
    await supervisor.command({ type: "wake" }, started);
    return { agents: supervisor.states(names) };
  });
  for (const type of ["stop", "restart"] as const) {
    register.command(`supervisor.${type}`, async (payload) => {
      const { names, force } = named(payload);
      return { agents: await supervisor.command({ type, force }, names) };
    });
  }
  register.command("supervisor.logs", async (payload) => {
    const { name, lines, after, follow } = read(Logs, payload);
    const path = supervisor.logPath(name);
    if (path === undefined) throw new CommandRefused(noSuch([name ?? ""], supervisor.names));
    if (follow || after !== undefined) return { path, ...(await followLog(path, after, lines)) };
    return { path, ...(await lastLines(path, lines)) };
  });
}

function read<T>(schema: z.ZodType<T>, payload: unknown): T {
  const parsed = schema.safeParse(payload ?? {});
  if (parsed.success) return parsed.data;
  throw new CommandRefused(z.prettifyError(parsed.error));
}

function noSuch(unknown: readonly string[], known: readonly string[]): string {
  return `this host has no agent ${unknown.join(", ")}; it has ${known.join(", ") || "none"}`;
}

/**
 * The last whole lines of a log, up to as many as are wanted. The newest file may have just been begun; what came before is
 * in `<path>.1`, and so on.
 */
async function lastLines(path: string, wanted: number): Promise<{ lines: string[]; truncated?: true }> {
  let text = "";
  let room = LOG_END_BYTES;
  let cut = false;
  const lines = () => {
    const whole = text.split("\n").slice(cut ? 1 : 0);
    if (whole.at(-1) === "") whole.pop();
    return whole.slice(-wanted);
  };
  // One more than wanted: the first may have begun in the file before.
  for (let n = 0; !cut && text.split("\n").length <= wanted + 1; n++) {
    const end = await endOf(n === 0 ? path : `${path}.${n}`, room);
    if (end === undefined) {
      // Between two files there is no newest one for a moment.
      if (n === 0) continue;
      break;
    }
    text = end.text + text;
    cut = end.cut;
    room -= Buffer.byteLength(end.text);
  }
  const found = lines();
  return { lines: found, ...(cut && found.length < wanted && { truncated: true }) };
}

/** The last bytes of a file, and whether there are more before them; `undefined`: there is no such file. */
async function endOf(path: string, most: number): Promise<{ text: string; cut: boolean } | undefined> {
  let file: Awaited<ReturnType<typeof open>>;
  try {
    file = await open(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  try {
    const { size } = await file.stat();
    const from = Math.max(0, size - most);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(size - from), 0, size - from, from);
    return { text: buffer.toString("utf8", 0, bytesRead), cut: from > 0 };
  } finally {
    await file.close();
  }
}
