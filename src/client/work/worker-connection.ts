import type { Problem } from "../../core/problem/problem.ts";
import type { OutgoingWorkerFrame, QueueFrame } from "../../core/queue/work-frames.ts";
import { ApiProblem, EdgeUnreachable } from "../http/problem-errors.ts";
import { backoffMs, isTransient } from "../http/retry.ts";
import { openHttpWorkChannel } from "./http-work-channel.ts";
import { openWorkChannel, type WorkChannel, type WorkChannelOptions } from "./work-channel.ts";

type OpenChannel = (options: WorkChannelOptions) => Promise<WorkChannel>;

export interface WorkerConnectionOptions {
  readonly url: string;
  readonly token: string | (() => string);
  readonly ecosystem: string;
  readonly queue: string;
  readonly worker: string | undefined;
  /** Time between two attempts to get from HTTP back to the channel; default 30,000. */
  readonly channelRetryMs?: number | undefined;
  readonly onFrame: (frame: QueueFrame) => void;
  /** A connection is open, for the first time or again. */
  readonly onOpen: () => void;
  /** There is no connection. The next attempt follows by itself. */
  readonly onLost: (error: unknown) => void;
  readonly onRemark: (text: string) => void;
  /** Default: {@link openWorkChannel}. */
  readonly openChannel?: OpenChannel;
  /** Default: {@link openHttpWorkChannel}. */
  readonly openHttp?: OpenChannel;
}

/** The queue refused the recipient: the token is bound to others. */
const NOT_BOUND = "/problems/not-bound";
const MAX_DELAY_MS = 10_000;
/** Added to the delay after a refusal, which lasts until the token is replaced: a fleet must not ask too often. */
const DENIED_DELAY_MS = 60_000;
/** The proxy that refused the upgrade may be gone by then. Each attempt costs a request. */
const CHANNEL_RETRY_MS = 30_000;

/**
 * A worker's connection to its queue, which comes back by itself.
 *
 * connecting → channel, or http where the channel cannot be opened; http → channel as soon as it can be opened;
 * channel, http → connecting when the connection is lost; any → closed.
 */
export class WorkerConnection {
  readonly #options: WorkerConnectionOptions;
  readonly #openChannel: OpenChannel;
  readonly #openHttp: OpenChannel;
  #channel: WorkChannel | undefined;
  #failures = 0;
  #draining = false;
  #closed = false;
  #reconnectTimer: ReturnType<typeof setTimeout> | undefined;
  #upgradeTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: WorkerConnectionOptions) {
    this.#options = options;
    this.#openChannel = options.openChannel ?? openWorkChannel;
    this.#openHttp = options.openHttp ?? openHttpWorkChannel;
  }

  open(): void {
    void this.#connect();
  }

  /** Sends a frame; without a connection the frame is dropped, and `onOpen` has to repeat the frames that matter. */
  send(frame: OutgoingWorkerFrame): void {
    this.#channel?.send(frame);
  }

  /** Resolves when no more tasks can arrive over the present connection, after `ready` with `credit: 0`. */
  drain(): Promise<void> {
    this.#draining = true;
    return this.#channel?.drained() ?? Promise.resolve();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#reconnectTimer);
    clearTimeout(this.#upgradeTimer);
    this.#channel?.close();
    this.#channel = undefined;
  }

  async #connect(): Promise<void> {
    try {
      this.#use(await this.#openChannel(this.#target(this.#onClose)));
    } catch (channelError) {
      try {
        // A proxy that does not know WebSockets may answer an upgrade with anything, or hang up.
        this.#use(await this.#openHttp(this.#target(this.#onClose)));
        this.#options.onRemark(`the channel could not be opened (${messageOf(channelError)}); working over plain HTTP`);
        this.#upgradeLater();
      } catch (httpError) {
        // A refusal by the queue itself comes over HTTP too.
        this.#lost(httpError);
      }
    }
  }

  #target(onClose: (refusal?: ApiProblem) => void): WorkChannelOptions {
    const { url, token, ecosystem, queue, worker, onRemark } = this.#options;
    let over = false;
    const end = (close: () => void): void => {
      if (!over) close();
      over = true;
    };
    return {
      url,
      token: typeof token === "function" ? token() : token,
      ecosystem,
      queue,
      worker,
      onFrame: (frame) => {
        if (frame.type === "refused" && frame.problem.type === NOT_BOUND) end(() => this.#denied(frame.problem));
        else this.#options.onFrame(frame);
      },
      onUnsendable: ({ frame, reason }) => onRemark(`a frame of the type ${frame.type} was not sent: it ${reason}`),
      onClose: (refusal) => end(() => onClose(refusal)),
    };
  }

  readonly #onClose = (refusal?: ApiProblem): void =>
    this.#lost(refusal ?? new EdgeUnreachable(this.#options.url, new Error("the connection was lost")));

  /** The channel is open, but no task will ever come over it. */
  #denied(problem: Problem): void {
    this.#channel?.close();
    this.#lost(new ApiProblem(problem));
  }

  #use(channel: WorkChannel): void {
    if (this.#closed) {
      channel.close();
      return;
    }
    this.#channel = channel;
    this.#failures = 0;
    this.#options.onOpen();
  }

  #lost(error: unknown): void {
    this.#channel = undefined;
    clearTimeout(this.#upgradeTimer);
    if (this.#closed) return;
    this.#options.onLost(error);
    this.#failures += 1;
    // A refusal that does not pass by itself (no scope, no such version) is named, and passes when the token is replaced.
    const passing = isTransient(error);
    const denied = error instanceof ApiProblem && !passing;
    const delayMs = backoffMs(this.#failures, MAX_DELAY_MS) + (denied ? DENIED_DELAY_MS : 0);
    const reason = passing ? "no queue answers" : messageOf(error);
    this.#options.onRemark(`${reason}; trying again in ${Math.round(delayMs)} ms`);
    this.#reconnectTimer = setTimeout(() => void this.#connect(), delayMs);
  }

  #upgradeLater(): void {
    if (this.#closed) return;
    this.#upgradeTimer = setTimeout(() => void this.#upgrade(), this.#options.channelRetryMs ?? CHANNEL_RETRY_MS);
  }

  /** Goes from HTTP back to the channel, if that can be opened now. */
  async #upgrade(): Promise<void> {
    const http = this.#channel;
    const outdated = () => this.#closed || this.#draining || this.#channel !== http;
    let inUse = false; // the new channel can be lost while HTTP is still in use
    try {
      const channel = await this.#openChannel(
        this.#target((refusal) => (inUse ? this.#onClose(refusal) : this.#upgradeLater())),
      );
      // The waiting request may still bring tasks. The channel announces its credit only after that.
      await http?.drained();
      if (outdated()) return channel.close();
      http?.close();
      inUse = true;
      this.#use(channel);
      this.#options.onRemark("the channel is open again");
    } catch {
      if (!outdated()) this.#upgradeLater();
    }
  }
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));
