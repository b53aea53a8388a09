import { createHash } from "node:crypto";
import { CLAUDE_CODE } from "../../src/core/agent-sessions/claude-code.ts";
import { readHook } from "../../src/core/agent-sessions/claude-hooks.ts";
import { type ExportKind, NoExport } from "../../src/core/agent-sessions/otlp/export.ts";
import { readProtobuf } from "../../src/core/agent-sessions/otlp/protobuf.ts";
import { readRecords } from "../../src/core/agent-sessions/read-records.ts";
import type { ContentSetting } from "../../src/core/agent-sessions/record.ts";
import {
  type SessionSignalInput,
  type SignalMaking,
  signalsOf,
  unknownSignal,
} from "../../src/core/agent-sessions/to-signals.ts";
import { JSON_LIMITS } from "../../src/core/json/limits.ts";
import { readFaultyJson } from "../../src/core/json/read-json.ts";
import { takeIn } from "../store/intake.ts";
import type { TimedSignal } from "../store/signal-text.ts";
import { LANES, MAX_PUT, type Spool } from "../store/spool.ts";

export interface TelemetryIntakeOptions {
  readonly content: ContentSetting;
  readonly hostId: string;
  readonly spool: Spool;
  readonly now: () => number;
}

/** What a door answers: how many records were refused, and why; or why nothing was taken. */
export type TakenExport =
  | { readonly ok: true; readonly refused: number; readonly reasons: readonly string[] }
  | { readonly ok: false; readonly full: boolean; readonly reason: string };

export interface GivenHook {
  readonly source: string | undefined;
  readonly task: string | undefined;
  readonly traceparent: string | undefined;
}

/** An export is known for this long, in milliseconds: SDKs repeat one within seconds. */
const KNOWN_MS = 600_000;
const NOTHING_REFUSED = { ok: true, refused: 0, reasons: [] } as const;

/** Turns telemetry and hooks into signals of the spool: they are on the disk before the sender has its answer. */
export class TelemetryIntake {
  readonly counts = { taken: 0, refused: 0 };
  readonly #options: TelemetryIntakeOptions;
  /** Exports that the spool knows, with when each was taken, the oldest first. */
  readonly #known = new Map<string, number>();

  constructor(options: TelemetryIntakeOptions) {
    this.#options = options;
  }

  async takeExport(kind: ExportKind, body: Buffer, isProtobuf: boolean): Promise<TakenExport> {
    const read = this.#read(kind, body, isProtobuf);
    if (typeof read === "string") return { ok: false, full: false, reason: read };
    const { records, unknown, rejected, reasons } = read;
    const inputs = await signalsOf(records, this.#making);
    const digest = createHash("sha256").update(body).digest("hex");
    if (unknown.records > 0) inputs.push(await unknownSignal(unknown, digest, this.#making));
    return this.#put(inputs, rejected, reasons, `export ${digest}`);
  }

  async takeHook(body: Buffer, { source, task, traceparent }: GivenHook): Promise<TakenExport> {
    const reading = readFaultyJson(body.toString("utf8"), JSON_LIMITS);
    if (!reading.ok) return { ok: false, full: false, reason: reading.malformed };
    const hook = readHook(reading.value, { content: this.#options.content, source, task, traceparent });
    if (!hook.ok) return { ok: false, full: false, reason: `${hook.pointer}: ${hook.message}` };
    const unknown = (name: string) => ({ agents: new Set([CLAUDE_CODE]), names: new Set([name]), records: 1 });
    const inputs =
      hook.unknown === undefined
        ? await signalsOf(hook.records, this.#making)
        : [await unknownSignal(unknown(hook.unknown), body.toString("utf8"), this.#making)];
    return this.#put(inputs, 0, []);
  }

  get #making(): SignalMaking {
    const { hostId, now } = this.#options;
    return {
      nowMs: now(),
      sourceOf: () => `sessions/${hostId}`,
      digest: async (text) => createHash("sha256").update(text).digest("hex"),
    };
  }

  #read(kind: ExportKind, body: Buffer, isProtobuf: boolean): ReturnType<typeof readRecords> | string {
    try {
      if (isProtobuf) return readRecords(kind, readProtobuf(kind, body), this.#options.content);
      const reading = readFaultyJson(body.toString("utf8"), JSON_LIMITS);
      return reading.ok ? readRecords(kind, reading.value, this.#options.content) : reading.malformed;
    } catch (error) {
      if (error instanceof NoExport) return `${error.pointer}: ${error.message}`;
      throw error;
    }
  }

  /** @param identity - of an export that may come again */
  async #put(
    inputs: readonly SessionSignalInput[],
    rejected: number,
    reasons: readonly string[],
    identity?: string,
  ): Promise<TakenExport> {
    const { spool, now } = this.#options;
    // The spool deletes observations alone when it is full. What it holds must not grow without end.
    if (LANES.reduce((bytes, lane) => bytes + spool.depth(lane).bytes, 0) > spool.maxBytes)
      return { ok: false, full: true, reason: "the spool is full: the edge was away for long. Send it again later" };
    const signals: TimedSignal[] = [];
    const refused: string[] = [];
    for (const input of inputs) {
      const taken = takeIn(input, now());
      if (taken.ok) signals.push(taken.signal);
      else refused.push(taken.errors.map(({ pointer, message }) => `${pointer}: ${message}`).join("; "));
    }
    let already = false;
    for (let at = 0; at < signals.length; at += MAX_PUT) {
      const taken = identity === undefined ? {} : { taken: `${identity} ${at}` };
      already = (await spool.put("local", signals.slice(at, at + MAX_PUT), taken)).already;
      if (taken.taken !== undefined) await this.#note(taken.taken);
    }
    if (!already) {
      this.counts.taken += signals.length;
      this.counts.refused += rejected + refused.length;
    }
    if (rejected + refused.length === 0) return NOTHING_REFUSED;
    return {
      ok: true,
      refused: rejected + refused.length,
      reasons: [...new Set([...reasons, ...refused])].slice(0, 4),
    };
  }

  async #note(identity: string): Promise<void> {
    const nowMs = this.#options.now();
    this.#known.delete(identity);
    this.#known.set(identity, nowMs);
    for (const [old, atMs] of this.#known) {
      if (nowMs - atMs < KNOWN_MS) break;
      this.#known.delete(old);
      await this.#options.spool.forgetTaken(old);
    }
  }
}
