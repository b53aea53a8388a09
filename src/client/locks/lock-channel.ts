import type { WebSocket } from "ws";
import type { LockAcquisition, LockAnswer, LockHeld } from "../../core/locks/api.ts";
import { LOCK_PROTOCOL, LockChannelFrame, type OutgoingLockFrame } from "../../core/locks/lock-frames.ts";
import { loosened } from "../http/loosened.ts";
import { ApiProblem, EdgeUnreachable } from "../http/problem-errors.ts";
import { openWebSocket } from "../http/web-socket.ts";
import type { LockChannelOptions } from "./channel-options.ts";
import type { LockEdge } from "./locks-over.ts";

type Answer = Exclude<LockChannelFrame, { type: "waiting" | "refused" }>;
type AnswerOf<Type extends Answer["type"]> = Extract<Answer, { type: Type }>;

interface Asked {
  readonly frame: OutgoingLockFrame;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
  readonly timer: ReturnType<typeof setTimeout>;
  /** The edge has said that the request waits: its owner had not got the lock before. */
  waited: boolean;
  /** Nobody reads the answer. */
  abandoned: boolean;
}

/** Added to the longest wait for an answer, for the network. */
const NETWORK_MS = 10_000;
const Frame = loosened(LockChannelFrame);

/** @throws ApiProblem for a refusal, EdgeUnreachable where no edge answers */
export async function openLockChannel(options: LockChannelOptions): Promise<LockChannel> {
  const { url, token, ecosystem, onClose } = options;
  let channel: LockChannel | undefined;
  const socket = await openWebSocket({
    url,
    token,
    path: `/v1/${encodeURIComponent(ecosystem)}/locks/channel`,
    protocol: LOCK_PROTOCOL,
    onMessage: (text) => channel?.receive(text),
    onClose: () => {
      channel?.ended();
      onClose();
    },
  });
  channel = new LockChannel(socket, url);
  return channel;
}

/** One channel for locks. It does not reconnect: what was asked over it and not answered is to be asked again. */
export class LockChannel implements LockEdge {
  readonly #socket: WebSocket;
  readonly #url: string;
  readonly #asked = new Map<string, Asked>();
  #ids = 0;

  /** @param url - of the edge */
  constructor(socket: WebSocket, url: string) {
    this.#socket = socket;
    this.#url = url;
  }

  /**
   * @throws ApiProblem for a refusal; EdgeUnreachable where the channel is lost or no answer comes; the reason of `signal` when
   * it is aborted: the request is then taken back
   */
  acquire(name: string, asked: LockAcquisition, signal?: AbortSignal): Promise<LockAnswer> {
    return this.#ask({ type: "acquire", id: this.#nextId(), name, ...asked }, "lock", asked.wait_ms ?? 0, signal);
  }

  async renew(name: string, fence: number, ttlMs: number, timeoutMs?: number): Promise<LockHeld> {
    const frame = { type: "renew", id: this.#nextId(), name, fence, ttl_ms: ttlMs } as const;
    const answer = await this.#ask(frame, "lock", 0, undefined, timeoutMs);
    if (!answer.held) throw new EdgeUnreachable(this.#url, new Error("a renewal that is not held"));
    return answer;
  }

  async release(name: string, fence: number): Promise<{ readonly released: true }> {
    await this.#ask({ type: "release", id: this.#nextId(), name, fence }, "released", 0);
    return { released: true };
  }

  close(): void {
    this.#socket.close(1000);
  }

  /** @throws where the text is no frame of the protocol */
  receive(text: string): void {
    const message: unknown = JSON.parse(text);
    const read = Frame.safeParse(message);
    // A later version of the edge may send frames of other kinds.
    if (!read.success) return;
    const frame = read.data;
    const asked = frame.id === null ? undefined : this.#asked.get(frame.id);
    if (asked === undefined) return;
    if (frame.type === "waiting") {
      asked.waited = true;
      return;
    }
    this.#forget(asked);
    if (frame.type === "refused") asked.reject(new ApiProblem(frame.problem, frame.retry_after_ms));
    else if (!asked.abandoned) asked.resolve(frame);
    else if (frame.type === "lock" && frame.held && asked.waited) {
      // It was given the lock as it was taken back: nobody would release it.
      this.#send({ type: "release", id: this.#nextId(), name: frame.name, fence: frame.fence });
    }
  }

  /** The connection has ended. */
  ended(): void {
    for (const asked of [...this.#asked.values()]) {
      this.#forget(asked);
      asked.reject(new EdgeUnreachable(this.#url, new Error("the connection was lost")));
    }
  }

  #ask<Type extends Answer["type"]>(
    frame: OutgoingLockFrame,
    type: Type,
    waitMs: number,
    signal?: AbortSignal,
    timeoutMs = waitMs + NETWORK_MS,
  ): Promise<AnswerOf<Type>> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) return reject(signal.reason);
      const abort = () => {
        asked.abandoned = true;
        this.#send({ type: "cancel", id: frame.id });
        reject(signal?.reason);
      };
      const over = () => {
        this.#forget(asked);
        reject(new EdgeUnreachable(this.#url, new Error("no answer in time")));
      };
      const settled = () => signal?.removeEventListener("abort", abort);
      const asked: Asked = {
        frame,
        resolve: (answer) => {
          settled();
          if (answer.type === type) resolve(answer as AnswerOf<Type>);
          else reject(new EdgeUnreachable(this.#url, new Error(`an answer of the type ${answer.type}`)));
        },
        reject: (error) => {
          settled();
          reject(error);
        },
        timer: setTimeout(over, timeoutMs),
        waited: false,
        abandoned: false,
      };
      signal?.addEventListener("abort", abort, { once: true });
      this.#asked.set(frame.id, asked);
      this.#send(frame);
    });
  }

  #forget({ frame, timer }: Asked): void {
    clearTimeout(timer);
    this.#asked.delete(frame.id);
  }

  /** After the connection was lost frames are dropped: what was asked is rejected by {@link ended}. */
  #send(frame: OutgoingLockFrame): void {
    if (this.#socket.readyState === this.#socket.OPEN) this.#socket.send(JSON.stringify(frame));
  }

  #nextId(): string {
    return String(++this.#ids);
  }
}
