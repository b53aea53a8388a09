import { WebSocket } from "ws";
import * as z from "zod";
import { LOCK_PROTOCOL, LockFrame } from "../../../src/core/locks/lock-frames.ts";
import { WORK_PROTOCOL, WorkerFrame } from "../../../src/core/queue/work-frames.ts";
import { AgentFrame, LINK_PROTOCOL, PING } from "../../../src/core/wire/link-frames.ts";
import type { Rng } from "../rng.ts";
import type { Findings } from "./findings.ts";
import { Generator, type JsonSchema } from "./generate.ts";
import { mutate } from "./mutate.ts";

type Kind = "link" | "work" | "locks" | "stream";

interface Open {
  readonly kind: Kind;
  readonly socket: WebSocket;
  /** The frames of this socket, the last hundred. */
  readonly sent: string[];
  left: number;
}

export interface FrameFuzzerOptions {
  readonly url: string;
  readonly token: string;
  readonly signal: JsonSchema;
  readonly schemas: Readonly<Record<string, JsonSchema>>;
  readonly rng: Rng;
  readonly findings: Findings;
}

const SOCKETS = 24;
/** A share of the sockets is not read: an edge must not keep for them what they do not take. */
const UNREAD = 0.15;
const OPEN_MS = 15_000;

/**
 * Sends frames of links, workers' channels, channels for locks and streams, valid and spoiled, over many sockets that come and go. What a frame
 * is answered is the edge's business; that the edge lives and answers others is judged elsewhere.
 */
export class FrameFuzzer {
  readonly #options: FrameFuzzerOptions;
  readonly #generator: Generator;
  readonly #frames: Readonly<Record<Kind, JsonSchema>>;
  readonly #open: Open[] = [];
  #sent = 0;
  #received = 0;

  constructor(options: FrameFuzzerOptions) {
    this.#options = options;
    this.#generator = new Generator(options.rng, options.schemas);
    this.#frames = {
      link: withSignals(z.toJSONSchema(AgentFrame, { io: "input" }) as JsonSchema, options.signal),
      work: z.toJSONSchema(WorkerFrame, { io: "input" }) as JsonSchema,
      locks: z.toJSONSchema(LockFrame, { io: "input" }) as JsonSchema,
      stream: {
        type: "object",
        properties: { type: { const: "seen" }, seq: { type: "integer" } },
        required: ["type", "seq"],
      },
    };
  }

  get sent(): number {
    return this.#sent;
  }

  get received(): number {
    return this.#received;
  }

  /** What was sent last over each socket. */
  get recent(): { readonly kind: Kind; readonly frames: readonly string[] }[] {
    return this.#open.map(({ kind, sent }) => ({
      kind,
      frames: sent.slice(-10).map((frame) => frame.slice(0, 4_000)),
    }));
  }

  /** Sends one frame, over one of the open sockets or a new one. */
  async step(): Promise<void> {
    const { rng } = this.#options;
    const at = rng.between(0, SOCKETS - 1);
    const open = this.#open[at] ?? (await this.#connect());
    if (open === undefined) return;
    if (open.left-- <= 0 || open.socket.readyState !== WebSocket.OPEN) {
      this.#open.splice(this.#open.indexOf(open), 1);
      if (rng.next() < 0.5) open.socket.terminate();
      else open.socket.close();
      return;
    }
    const text = this.#frame(open.kind);
    open.sent.push(text);
    if (open.sent.length > 100) open.sent.shift();
    this.#sent++;
    await new Promise<void>((resolve) =>
      open.socket.send(rng.next() < 0.01 ? Buffer.from(text) : text, () => resolve()),
    );
  }

  close(): void {
    for (const { socket } of this.#open) socket.terminate();
  }

  #frame(kind: Kind): string {
    const { rng } = this.#options;
    if (rng.next() < 0.02) return PING;
    const frame = this.#generator.value(this.#frames[kind]);
    const named = kind === "link" ? this.#named(frame) : frame;
    return rng.next() < 0.6 ? JSON.stringify(named) : mutate(named, rng);
  }

  /** Appends go on where others ended, so that numbers are repeated, continued and left out. */
  #named(frame: unknown): unknown {
    if (typeof frame !== "object" || frame === null || !("type" in frame) || frame.type !== "append") return frame;
    const { rng } = this.#options;
    const producer = `${rng.pick(["gpu-01", "h", "other"])}.e${rng.between(0, 3)}.local`;
    return { ...frame, producer, first: rng.next() < 0.95 ? rng.between(1, 500) : 9e15 };
  }

  async #connect(): Promise<Open | undefined> {
    const { rng, url, token, findings } = this.#options;
    const kind = rng.pick(["link", "link", "work", "locks", "stream"] as const);
    const path = {
      link: `/v1/fuzz/link?host=${rng.pick(["gpu-01", "h"])}`,
      work: "/v1/fuzz/queues/work/work",
      locks: "/v1/fuzz/locks/channel",
      stream: `/v1/fuzz/signals/stream?after=${rng.between(0, 50)}`,
    }[kind];
    const protocols = { link: [LINK_PROTOCOL], work: [WORK_PROTOCOL], locks: [LOCK_PROTOCOL], stream: [] }[kind];
    const socket = new WebSocket(url.replace(/^http/, "ws") + path, protocols, {
      headers: { authorization: `Bearer ${token}` },
      handshakeTimeout: OPEN_MS,
    });
    socket.on("message", () => this.#received++);
    const failed = await new Promise<string | undefined>((resolve) => {
      socket.once("open", () => resolve(undefined));
      socket.once("error", (error) => resolve(error.message));
    });
    socket.on("error", () => socket.terminate());
    if (failed !== undefined) {
      // An edge under load may refuse a socket; one that leaves a handshake unanswered hangs.
      if (/timed out/.test(failed))
        findings.add({ what: `no handshake of a ${kind}`, seen: failed, input: this.recent });
      return undefined;
    }
    if (rng.next() < UNREAD) socket.pause();
    const open: Open = { kind, socket, sent: [], left: rng.between(1, 400) };
    this.#open.push(open);
    return open;
  }
}

/** The schema of an append leaves its signals open; most of them are to be ones that the log takes. */
function withSignals(schema: JsonSchema, signal: JsonSchema): JsonSchema {
  const branches = schema.anyOf ?? schema.oneOf ?? [];
  return {
    oneOf: branches.map((branch) =>
      branch.properties?.signals !== undefined && branch.properties.batch !== undefined
        ? { ...branch, properties: { ...branch.properties, signals: { type: "array", items: signal, minItems: 1 } } }
        : branch,
    ),
  };
}
