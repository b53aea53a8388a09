import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { readHook } from "../../../src/core/agent-sessions/claude-hooks.ts";
import type { ExportKind } from "../../../src/core/agent-sessions/otlp/export.ts";
import { readRecords } from "../../../src/core/agent-sessions/read-records.ts";
import type { ContentSetting, SessionRecord } from "../../../src/core/agent-sessions/record.ts";
import type { Session } from "../../../src/core/agent-sessions/session.ts";
import { sessionKey, takeSignal } from "../../../src/core/agent-sessions/take-signal.ts";
import { signalsOf } from "../../../src/core/agent-sessions/to-signals.ts";
import type { Signal } from "../../../src/core/signals/signal.ts";

const FIXTURES = join(import.meta.dirname, "../../fixtures/telemetry");

/** The time at which the fixtures begin. */
export const START_MS = 1_790_000_000_000;
export const SECOND = 1_000;
export const MINUTE = 60_000;

export const fixtureText = (name: string): string => readFileSync(join(FIXTURES, name), "utf8");
export const fixture = (name: string): unknown => JSON.parse(fixtureText(name));

export const digest = async (text: string): Promise<string> => createHash("sha256").update(text).digest("hex");

/** The hooks of the session, with the seconds after which each came. */
export const hooks = (): { after_seconds: number; input: Record<string, unknown> }[] =>
  fixtureText("claude-code-hooks.jsonl")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));

export async function signals(records: readonly SessionRecord[], receivedMs: number): Promise<Signal[]> {
  const made = await signalsOf(records, { nowMs: receivedMs, sourceOf: (agent) => agent, digest });
  return made.map((signal, place) => ({
    ...signal,
    seq: place + 1,
    id: signal.id ?? `none-${receivedMs}-${place}`,
    ecosystem: "test",
    received_at: new Date(receivedMs).toISOString(),
    timestamp: signal.timestamp ?? new Date(receivedMs).toISOString(),
    facts: { ...signal.facts },
  }));
}

export const exported = (kind: ExportKind, document: unknown, receivedMs: number, content: ContentSetting = "none") =>
  signals(readRecords(kind, document, content).records, receivedMs);

export function hooked(input: unknown, receivedMs: number, content: ContentSetting = "none"): Promise<Signal[]> {
  const read = readHook(input, { content, source: undefined, task: undefined, traceparent: undefined });
  return signals(read.ok ? read.records : [], receivedMs);
}

/** Sessions that take signals in as a log gives them: one of an id that is there is dropped. */
export class Followed {
  readonly sessions = new Map<string, Session>();
  readonly #ids = new Set<string>();

  take(all: readonly Signal[]): this {
    for (const signal of all) {
      const key = sessionKey(signal);
      if (key === undefined || this.#ids.has(signal.id)) continue;
      this.#ids.add(signal.id);
      this.sessions.set(key, takeSignal(this.sessions.get(key), signal));
    }
    return this;
  }

  get only(): Session {
    const [session] = this.sessions.values();
    if (session === undefined || this.sessions.size > 1) throw new Error(`${this.sessions.size} sessions`);
    return session;
  }
}
