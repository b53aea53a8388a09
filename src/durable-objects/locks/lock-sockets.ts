import type { Waiter } from "../../core/locks/hold.ts";
import { LOCK_LIMITS } from "../../core/locks/limits.ts";
import type { LockFrame } from "../../core/locks/lock-frames.ts";
import type { Claim } from "../../core/locks/outcomes.ts";
import { heldView, notHeldView } from "../../core/locks/view.ts";
import type { CallerToken } from "../../core/queue/queries.ts";
import { logLine } from "../shell/log-line.ts";
import { closeEnded } from "../shell/sockets.ts";
import type { AcquireAnswer, AcquireCall, Asking, ClaimAnswer } from "./calls.ts";
import { LockChannel } from "./lock-channel.ts";
import { readLockFrame } from "./read-lock-frame.ts";
import { CHANNEL_FULL, foreignOwner, NOT_WRITTEN, refusalOf } from "./refusals.ts";
import type { WaitEnd } from "./waiting-requests.ts";

export interface LockSocketsOptions {
  readonly ask: <Turn>(call: AcquireCall, asking: Asking<Turn>) => Promise<AcquireAnswer | Turn>;
  readonly renew: (claim: Claim, ttlMs: number) => ClaimAnswer;
  readonly release: (claim: Claim) => ClaimAnswer;
  /** What stands in the way of a request that waits. */
  readonly blockerOf: (waiter: Waiter) => Parameters<typeof notHeldView>[0] | undefined;
  /** A request waits no more: its time is over, it was taken back, or its channel has ended. */
  readonly giveUp: (waiter: string) => void;
  readonly wakeBy: (atMs: number) => void;
  readonly isOver: (token: CallerToken) => boolean;
}

type AcquireFrame = Extract<LockFrame, { type: "acquire" }>;

/**
 * The channels over which processes lock. Who waits is attached to the socket, and the end of a wait is an alarm: an object of
 * which all wait sleeps, and finds them in their order when it wakes.
 */
export class LockSockets {
  readonly #options: LockSocketsOptions;
  readonly #channels = new Map<WebSocket, LockChannel>();
  /** By the name of the waiter. */
  readonly #waiting = new Map<string, { readonly channel: LockChannel; readonly id: string }>();

  /** @param open - sockets that outlived the sleep of the object */
  constructor(open: readonly WebSocket[], options: LockSocketsOptions) {
    this.#options = options;
    for (const socket of open) {
      const channel = LockChannel.restore(socket);
      if (channel === undefined) {
        socket.close(1011, LOST);
        continue;
      }
      this.#channels.set(socket, channel);
      for (const id of channel.waits.keys()) this.#waiting.set(channel.nameOf(id), { channel, id });
    }
  }

  open(socket: WebSocket, query: URLSearchParams): void {
    const channel = LockChannel.open(socket, query);
    if (channel === undefined) socket.close(1011, LOST);
    else this.#channels.set(socket, channel);
  }

  /** Those who wait over channels, in their order. */
  get waiters(): Waiter[] {
    const all = [...this.#channels.values()].flatMap((channel) =>
      [...channel.waits.values()].map((wait) => channel.waiterOf(wait)),
    );
    return all.sort((one, other) => one.ticket - other.ticket);
  }

  /** When the time of the first who waits is over; `undefined`: nobody waits. */
  get dueMs(): number | undefined {
    if (this.#waiting.size === 0) return undefined;
    return [...this.#waits()].reduce((first, { wait }) => Math.min(first, wait.untilMs), Number.POSITIVE_INFINITY);
  }

  /** Ends the waits whose time is over. Where the clock was set back, none waits longer than it may: it is asked again. */
  endLate(nowMs: number): void {
    for (const { name, wait } of [...this.#waits()])
      if (wait.untilMs <= nowMs || wait.untilMs > nowMs + LOCK_LIMITS.waitMs) this.#options.giveUp(name);
  }

  /** Answers a request that waited. @param name - of the waiter; of one that does not wait over a channel nothing happens */
  end(name: string, end: WaitEnd): void {
    const waiting = this.#waiting.get(name);
    if (waiting === undefined) return;
    const { channel, id } = waiting;
    const wait = channel.waits.get(id);
    this.#waiting.delete(name);
    channel.waits.delete(id);
    channel.attach();
    const answer: AcquireAnswer = "held" in end ? heldView(end.held) : (end.notHeld ?? { lost: true });
    this.#answer(channel, id, answer, wait?.name ?? "");
  }

  /** The state was read anew, and has none of them. */
  endAll(): void {
    for (const name of [...this.#waiting.keys()]) this.end(name, { notHeld: undefined });
  }

  /** Whoever waits over it leaves the order, and may come back to its place soon. */
  close(socket: WebSocket): void {
    const channel = this.#channels.get(socket);
    if (channel === undefined) return;
    this.#channels.delete(socket);
    const names = [...channel.waits.keys()].map((id) => channel.nameOf(id));
    // First of all: what is free when one has left must not be given to another of the same channel.
    for (const name of names) this.#waiting.delete(name);
    for (const name of names) this.#options.giveUp(name);
  }

  async receive(socket: WebSocket, message: string | ArrayBuffer): Promise<void> {
    const channel = this.#channels.get(socket);
    if (channel === undefined) return socket.close(1011, LOST);
    if (this.#options.isOver(channel.token)) {
      this.close(socket);
      return closeEnded(socket);
    }
    const frame = readLockFrame(message);
    if ("problem" in frame) return channel.refuse(frame.id, frame);
    try {
      await this.#handle(channel, frame);
    } catch (error) {
      // Its transaction was undone as a whole.
      logLine("error", "lock-frame-failed", { object: "locks", frame: frame.type, error });
      channel.refuse(frame.id, NOT_WRITTEN);
    }
  }

  async #handle(channel: LockChannel, frame: LockFrame): Promise<void> {
    const { id } = frame;
    if (frame.type === "cancel") {
      if (channel.waits.has(id)) this.#options.giveUp(channel.nameOf(id));
      else if (channel.asking.has(id)) channel.asking.set(id, true);
      return;
    }
    const { name, owner } = frame;
    const foreign = foreignOwner(channel.bindings, owner, frame.type === "acquire" ? frame.owner_process : undefined);
    if (foreign !== undefined) return channel.refuse(id, { problem: foreign });
    if (frame.type === "acquire") return this.#acquire(channel, frame);
    const claim = { name, fence: frame.fence, owner, token: channel.token.id, admin: channel.admin };
    const { renew, release } = this.#options;
    this.#answer(channel, id, frame.type === "renew" ? renew(claim, frame.ttl_ms) : release(claim), name);
  }

  async #acquire(channel: LockChannel, frame: AcquireFrame): Promise<void> {
    const { id, name, mode, owner, ttl_ms: ttlMs, wait_ms: waitMs, task = null, owner_process: process = null } = frame;
    // Sent again while it waits: one answer is for both.
    if (channel.waits.has(id) || channel.asking.has(id)) return;
    if (waitMs > 0 && !channel.hasPlaceFor({ id, name, owner, task, process })) return channel.refuse(id, CHANNEL_FULL);
    const asked = { id: channel.nameOf(id), name, mode, owner, token: channel.token.id, ttlMs, waitMs, task, process };
    channel.asking.set(id, false);
    const asking: Asking<{ readonly waiting: Waiter }> = {
      isGone: () => !this.#channels.has(channel.socket),
      isCancelled: () => channel.asking.get(id) === true,
      waiting: (waiter, nowMs) => {
        const { request, ticket, sinceMs } = waiter;
        const untilMs = nowMs + waitMs;
        const { process: bound } = request;
        channel.waits.set(id, { id, name, mode, owner, ttlMs, task, process: bound, ticket, sinceMs, untilMs });
        this.#waiting.set(channel.nameOf(id), { channel, id });
        channel.attach();
        this.#options.wakeBy(untilMs);
        return { waiting: waiter };
      },
    };
    try {
      const answer = await this.#options.ask({ ...asked, admin: channel.admin }, asking);
      if ("waiting" in answer) this.#tellWaiting(channel, id, answer.waiting);
      else this.#answer(channel, id, answer, name);
    } finally {
      channel.asking.delete(id);
    }
  }

  #tellWaiting(channel: LockChannel, id: string, waiter: Waiter): void {
    const blocker = this.#options.blockerOf(waiter);
    if (blocker === undefined) return;
    const { holder, blocked_by } = notHeldView(blocker);
    channel.send({ type: "waiting", id, holder, blocked_by });
  }

  #answer(channel: LockChannel, id: string, answer: AcquireAnswer | ClaimAnswer, name: string): void {
    const refusal = refusalOf(answer, name);
    if (refusal !== undefined) channel.refuse(id, refusal);
    else if ("released" in answer) channel.send({ type: "released", id });
    else if ("held" in answer) channel.send({ type: "lock", id, ...answer });
  }

  *#waits() {
    for (const [name, { channel, id }] of this.#waiting) {
      const wait = channel.waits.get(id);
      if (wait !== undefined) yield { name, wait };
    }
  }
}

const LOST = "the locks have lost this channel: connect again";
