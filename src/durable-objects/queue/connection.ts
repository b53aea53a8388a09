import * as z from "zod";
import { problem } from "../../core/problem/problem.ts";
import type { Entry } from "../../core/queue/entry.ts";
import type { CallerToken } from "../../core/queue/queries.ts";
import type { Waiter } from "../../core/queue/waiters.ts";
import type { ReadyFrame } from "../../core/queue/work-frames.ts";
import { RefusalMeter } from "../../core/wire/refusal-meter.ts";

/** The last `ready` frame of a recipient. */
const Ready = z.object({
  recipient: z.string(),
  credit: z.number(),
  leaseMs: z.number(),
  skills: z.array(z.string()).readonly().optional(),
  host: z.string().optional(),
  labels: z.record(z.string(), z.string()).readonly().optional(),
});
export type Ready = Readonly<z.infer<typeof Ready>>;

/** The state of a connection that survives hibernation. The tasks it holds are known from their leases. */
export const Attachment = z.object({
  id: z.string(),
  worker: z.string(),
  /** Whether the token may queue tasks and make calls. */
  mayWrite: z.boolean(),
  ready: z.array(Ready),
  /** Whether the other end has sent several frames in one message, and therefore reads such messages. */
  readsArrays: z.boolean(),
  /** Recipients that the token is bound to; absent, as in earlier versions: all. */
  recipients: z.array(z.string()).readonly().optional(),
  /** Hosts that the token may command; absent: all. */
  hosts: z.array(z.string()).readonly().optional(),
  /** Hosts that a worker may say that it runs on; absent: any. */
  ownHosts: z.array(z.string()).readonly().optional(),
  /** The token takes commands by the names of hosts; see host-names.ts. */
  byName: z.boolean().optional(),
  /** The token that opened the connection; absent, as in earlier versions: not known. */
  token: z.object({ id: z.string(), expiresMs: z.number().nullable() }).readonly().optional(),
  /** Who commands hosts over the connection, for the audit: name of the token, and the browser's session; absent: nobody. */
  commander: z.object({ name: z.string(), session: z.string().nullable() }).readonly().optional(),
});
export type Attachment = z.infer<typeof Attachment>;

/**
 * What the recipients of a connection may take in its attachment, of which the runtime stores 16,384 bytes. Names of
 * recipients are ASCII.
 *
 * @see https://developers.cloudflare.com/durable-objects/api/websockets/#serializeattachment
 */
const MAX_RECIPIENT_BYTES = 12_000;
/** For the other fields of a recipient. */
const RECIPIENT_OVERHEAD = 64;
/** For a recipient that the token is bound to. */
const NAME_OVERHEAD = 8;

/** Largest message, in characters: a larger one is cut into several. */
const MESSAGE_CHARS = 256 * 1024;

/**
 * Bytes of tasks that a worker may be sent before it answers any of them: what it does not read stays in the memory of the
 * object. A renewal is an answer, so that this holds up no worker with long tasks.
 */
const MAX_UNREAD_BYTES = 8 * 1024 * 1024;

/** The channel of one worker or caller. Frames of one turn go out as one message, if the other end reads such messages. */
export class Connection {
  readonly socket: WebSocket;
  readonly id: string;
  readonly worker: string;
  readonly mayWrite: boolean;
  readonly recipients: readonly string[] | undefined;
  readonly hosts: readonly string[] | undefined;
  readonly ownHosts: readonly string[] | undefined;
  readonly byName: boolean;
  readonly token: CallerToken | undefined;
  readonly commander: Attachment["commander"];
  readonly ready = new Map<string, { readonly frame: Ready; readonly waiter: Waiter }>();
  /** Tasks that the running transaction gave to this connection, with their JSON. */
  given: { readonly entry: Entry; readonly leaseId: string | undefined; readonly part: string }[] = [];
  readonly refusals = new RefusalMeter();
  readonly #unflushed: Set<Connection>;
  #readsArrays: boolean;
  #frames: string[] = [];
  #chars = 0;
  #unreadBytes = 0;

  /** @param unflushed - connections that have to be flushed; this one adds itself */
  constructor(
    socket: WebSocket,
    {
      id,
      worker,
      mayWrite,
      readsArrays,
      recipients,
      hosts,
      ownHosts,
      byName,
      token,
      commander,
    }: Omit<Attachment, "ready">,
    unflushed: Set<Connection>,
  ) {
    this.socket = socket;
    this.#unflushed = unflushed;
    this.id = id;
    this.worker = worker;
    this.mayWrite = mayWrite;
    this.recipients = recipients;
    this.hosts = hosts;
    this.ownHosts = ownHosts;
    this.byName = byName ?? false;
    this.token = token;
    this.commander = commander;
    this.#readsArrays = readsArrays;
  }

  /**
   * Whether the attachment has place for a recipient. Where it has none, recipients that were given up make place.
   *
   * @param holdsTasks - whether a holder of leases holds any
   */
  hasPlaceFor(
    ready: Pick<Ready, "recipient" | "skills" | "host" | "labels">,
    holdsTasks: (holder: string) => boolean,
  ): boolean {
    const bytesOf = (names: readonly string[]) => names.reduce((sum, name) => sum + name.length + NAME_OVERHEAD, 0);
    const fits = () => {
      const bytesOfReady = (one: typeof ready) =>
        one.recipient.length + RECIPIENT_OVERHEAD + bytesOf([...(one.skills ?? []), ...claimsOf(one)]);
      let bytes = bytesOf([...(this.recipients ?? []), ...(this.ownHosts ?? [])]) + bytesOfReady(ready);
      for (const [name, { frame }] of this.ready) if (name !== ready.recipient) bytes += bytesOfReady(frame);
      return bytes <= MAX_RECIPIENT_BYTES;
    };
    const plain = ready.skills === undefined && claimsOf(ready).length === 0;
    if ((this.ready.has(ready.recipient) && plain) || fits()) return true;
    for (const [name, { frame }] of this.ready)
      if (frame.credit === 0 && !holdsTasks(holderName(this.id, name))) this.ready.delete(name);
    return fits();
  }

  /** Notes that the other end reads several frames in a message. */
  noteReadsArrays(): void {
    if (this.#readsArrays) return;
    this.#readsArrays = true;
    this.attach();
  }

  /** Saves the state that has to survive hibernation. */
  attach(): void {
    const { id, worker, mayWrite, recipients, hosts, ownHosts, byName, token, commander } = this;
    const ready = [...this.ready.values()].map(({ frame }) => frame);
    this.socket.serializeAttachment({
      id,
      worker,
      mayWrite,
      ready,
      readsArrays: this.#readsArrays,
      recipients,
      hosts,
      ...(ownHosts === undefined ? {} : { ownHosts }),
      ...(byName ? { byName } : {}),
      token,
      ...(commander === undefined ? {} : { commander }),
    } satisfies Attachment);
  }

  /** Whether the worker has answered enough of the tasks that it was sent to be sent more. */
  get readsTasks(): boolean {
    return this.#unreadBytes < MAX_UNREAD_BYTES;
  }

  /** The worker was sent tasks of so many bytes. */
  noteSent(bytes: number): void {
    this.#unreadBytes += bytes;
  }

  /** The worker named a lease that it was sent: it has read up to there. */
  noteRead(): void {
    this.#unreadBytes = 0;
  }

  /** Queues a frame, which the next {@link flush} sends. */
  send(frame: string): void {
    if (this.#chars + frame.length > MESSAGE_CHARS) this.flush();
    this.#unflushed.add(this);
    this.#frames.push(frame);
    this.#chars += frame.length;
  }

  /** @throws when the other end has disconnected, which its close event reports later */
  flush(): void {
    const frames = this.#frames;
    if (frames.length === 0) return;
    this.#frames = [];
    this.#chars = 0;
    if (this.#readsArrays && frames.length > 1) this.socket.send(`[${frames.join(",")}]`);
    else for (const frame of frames) this.socket.send(frame);
  }
}

/** What a worker says of its host, as names. */
const claimsOf = ({ host, labels = {} }: Pick<Ready, "host" | "labels">) => [
  ...(host === undefined ? [] : [host]),
  ...Object.entries(labels).flat(),
];

/** Names the holder of leases: the connection and the recipient, because each recipient has a credit of its own. */
export const holderName = (connectionId: string, recipient: string) => `${connectionId} ${recipient}`;
export const connectionOf = (holder: string) => holder.split(" ", 1)[0] ?? "";

/** What outlives hibernation of a frame. */
export function readyOf({ recipient, credit, lease_ms: leaseMs, skills, host, labels }: ReadyFrame): Ready {
  return {
    recipient,
    credit,
    leaseMs,
    ...(skills === undefined ? {} : { skills }),
    ...(host === undefined ? {} : { host }),
    ...(labels === undefined ? {} : { labels }),
  };
}

export const TOO_MANY_RECIPIENTS = problem(
  "too-many-recipients",
  422,
  "The channel takes tasks for too many recipients",
  `The names of a channel's recipients may take ${MAX_RECIPIENT_BYTES} bytes together, 64 more counted for each. ` +
    "The frame had no effect, the earlier ones count. Give a recipient up (credit: 0), or open another channel.",
);
