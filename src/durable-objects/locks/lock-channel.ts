import * as z from "zod";
import { type Bindings, readBindings } from "../../core/access/bindings.ts";
import { LockMode, type OwnerProcess } from "../../core/locks/api.ts";
import { BoundProcess, type Waiter } from "../../core/locks/hold.ts";
import type { LockChannelFrame } from "../../core/locks/lock-frames.ts";
import { LockName, lockNameProblem } from "../../core/locks/lock-name.ts";
import { RefusalMeter, TOO_MANY_REFUSALS } from "../../core/wire/refusal-meter.ts";
import { logLine } from "../shell/log-line.ts";
import { tokenOfQuery } from "../shell/sockets.ts";
import type { LockRefusal } from "./refusals.ts";

/** A request that waits over a channel, as it outlives the sleep of the object. */
const ChannelWait = z.object({
  /** Of the frame. */
  id: z.string(),
  name: z.string().refine((name) => lockNameProblem(name) === undefined),
  mode: LockMode,
  owner: z.string(),
  ttlMs: z.number(),
  task: z.string().nullable(),
  process: BoundProcess.nullable(),
  ticket: z.number(),
  sinceMs: z.number(),
  untilMs: z.number(),
});
export type ChannelWait = Readonly<z.infer<typeof ChannelWait>>;

const Attachment = z.object({
  id: z.string(),
  token: z.object({ id: z.string(), expiresMs: z.number().nullable() }).readonly(),
  admin: z.boolean(),
  recipients: z.array(z.string()).readonly().optional(),
  hosts: z.array(z.string()).readonly().optional(),
  /** As JSON: the runtime then stores one text, whose size is known. */
  waits: z.string(),
});
type Attachment = z.infer<typeof Attachment>;

/**
 * Characters that the waits of a channel may take as JSON. The runtime stores 16,384 bytes of an attachment, two for each
 * character of a text that is not Latin alone, and the bindings of a token take some.
 *
 * @see https://developers.cloudflare.com/durable-objects/api/websockets/#serializeattachment
 */
const MAX_WAIT_CHARS = 7_000;
/** For the fields of a wait that its request does not have: names and numbers. */
const WAIT_OVERHEAD = 200;

export type Asked = Pick<ChannelWait, "id" | "name" | "owner" | "task"> & { readonly process: OwnerProcess | null };

/** The channel of one process that locks. */
export class LockChannel {
  readonly socket: WebSocket;
  readonly id: string;
  readonly token: Attachment["token"];
  readonly admin: boolean;
  readonly bindings: Bindings;
  readonly waits = new Map<string, ChannelWait>();
  /** Requests of which it is being asked whether their process runs; `true`: taken back meanwhile. */
  readonly asking = new Map<string, boolean>();
  readonly #refusals = new RefusalMeter();

  constructor(socket: WebSocket, { id, token, admin, recipients, hosts }: Omit<Attachment, "waits">) {
    this.socket = socket;
    this.id = id;
    this.token = token;
    this.admin = admin;
    this.bindings = { ...(recipients && { recipients }), ...(hosts && { hosts }) };
  }

  /** @returns `undefined`: the query names no token */
  static open(socket: WebSocket, query: URLSearchParams): LockChannel | undefined {
    const token = tokenOfQuery(query);
    if (token === undefined) return undefined;
    const { recipients, hosts } = readBindings(query.get("bound"));
    const admin = query.get("right") === "admin";
    const channel = new LockChannel(socket, { id: crypto.randomUUID(), token, admin, recipients, hosts });
    channel.attach();
    return channel;
  }

  /** A channel that outlived the sleep of its object. @returns `undefined`: its attachment cannot be read */
  static restore(socket: WebSocket): LockChannel | undefined {
    try {
      const attachment = Attachment.parse(socket.deserializeAttachment());
      const channel = new LockChannel(socket, attachment);
      for (const wait of z.array(ChannelWait).parse(JSON.parse(attachment.waits))) channel.waits.set(wait.id, wait);
      return channel;
    } catch (error) {
      logLine("warn", "lock-channel-unreadable", { object: "locks", error });
      return undefined;
    }
  }

  /** Name of a wait among those of all channels. */
  nameOf(id: string): string {
    return `${this.id} ${id}`;
  }

  waiterOf({ id, name, ticket, sinceMs, mode, owner, ttlMs, task, process }: ChannelWait): Waiter {
    const request = { name: new LockName(name), mode, owner, token: this.token.id, ttlMs, task, process };
    return { id: this.nameOf(id), request, ticket, sinceMs };
  }

  /** Whether the attachment has place for one more wait. */
  hasPlaceFor(asked: Asked): boolean {
    const charsOf = (wait: Asked) => JSON.stringify(wait).length + WAIT_OVERHEAD;
    return [asked, ...this.waits.values()].reduce((sum, wait) => sum + charsOf(wait), 0) <= MAX_WAIT_CHARS;
  }

  /** Saves what has to outlive the sleep of the object. */
  attach(): void {
    const { id, token, admin, bindings } = this;
    const waits = JSON.stringify([...this.waits.values()]);
    this.socket.serializeAttachment({ id, token, admin, ...bindings, waits } satisfies Attachment);
  }

  send(frame: LockChannelFrame): void {
    this.#sendText(JSON.stringify(frame));
  }

  /** @param id - of the frame that is refused; `null`: it could not be read */
  refuse(id: string | null, { problem, retryAfterMs }: LockRefusal): void {
    const later = retryAfterMs === undefined ? {} : { retry_after_ms: retryAfterMs };
    const frame: LockChannelFrame = { type: "refused", id, problem, ...later };
    const text = JSON.stringify(frame);
    if (this.#refusals.admit(text.length, Date.now())) this.#sendText(text);
    else this.socket.close(1008, TOO_MANY_REFUSALS);
  }

  #sendText(text: string): void {
    try {
      this.socket.send(text);
    } catch {
      // The other end has disconnected, which the close event reports later: what was given to it can be asked for again.
    }
  }
}
