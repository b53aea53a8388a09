import { open } from "node:fs/promises";
import * as z from "zod";
import { CommandRefused, type HostWork } from "../host-work/host-work.ts";
import type { Supervisor } from "./supervisor.ts";

const Names = z.object({ names: z.array(z.string()).optional() });
const Forced = Names.extend({ force: z.boolean().default(false) });
const Logs = z.object({ name: z.string(), lines: z.int().min(1).max(10_000).default(50) });

/** The end of a log that is looked through for its last lines: an answer has to fit into a task's result. */
const LOG_END_BYTES = 48 * 1024;

/**
 * What a supervisor can be told: `supervisor.status`, `.start`, `.stop` and `.restart` with `{names?, force?}` answer
 * `{agents}`, all agents where no names are given; `supervisor.logs` with `{name, lines?}` answers `{path, lines}`.
 */
export function commandSupervisor(work: HostWork, supervisor: Supervisor): () => void {
  const named = (payload: unknown) => {
    const { names, force } = read(Forced, payload);
    const unknown = (names ?? []).filter((name) => !supervisor.names.includes(name));
    if (unknown.length > 0) throw new CommandRefused(noSuch(unknown, supervisor.names));
    return { names: names === undefined || names.length === 0 ? supervisor.names : names, force };
  };
  const ends = [
    work.on("supervisor.status", (payload) => ({ agents: supervisor.states(named(payload).names) })),
    work.on("supervisor.start", async (payload) => ({
      agents: await supervisor.command({ type: "start" }, named(payload).names),
    })),
    ...(["stop", "restart"] as const).map((type) =>
      work.on(`supervisor.${type}`, async (payload) => {
        const { names, force } = named(payload);
        return { agents: await supervisor.command({ type, force }, names) };
      }),
    ),
    work.on("supervisor.logs", async (payload) => {
      const { name, lines } = read(Logs, payload);
      const path = supervisor.logPath(name);
      if (path === undefined) throw new CommandRefused(noSuch([name], supervisor.names));
      return { path, lines: (await lastLines(path)).slice(-lines) };
    }),
  ];
  return () => ends.forEach((end) => void end());
}

function read<T>(schema: z.ZodType<T>, payload: unknown): T {
  const parsed = schema.safeParse(payload ?? {});
  if (parsed.success) return parsed.data;
  throw new CommandRefused(z.prettifyError(parsed.error));
}

function noSuch(unknown: readonly string[], known: readonly string[]): string {
  return `this host has no agent ${unknown.join(", ")}; it has ${known.join(", ") || "none"}`;
}

/** The last whole lines of a file that may be long, or not there yet. */
async function lastLines(path: string): Promise<string[]> {
  let file: Awaited<ReturnType<typeof open>>;
  try {
    file = await open(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
  try {
    const { size } = await file.stat();
    const from = Math.max(0, size - LOG_END_BYTES);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(size - from), 0, size - from, from);
    const lines = buffer.toString("utf8", 0, bytesRead).split("\n");
    if (lines.at(-1) === "") lines.pop();
    return from > 0 ? lines.slice(1) : lines;
  } finally {
    await file.close();
  }
}
