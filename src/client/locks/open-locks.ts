import type { LockAcquisition } from "../../core/locks/api.ts";
import type { Connection } from "../http/exchange.ts";
import { ApiProblem } from "../http/problem-errors.ts";
import { request } from "../http/request.ts";
import type { LockChannelOptions, OpenLockChannel } from "./channel-options.ts";
import { openLockChannel } from "./lock-channel.ts";
import { httpLocks, type LockEdge, locksOver } from "./locks-over.ts";

export interface OpenLocksOptions {
  readonly url: string;
  /** A function is called for each connection, so that a token that was replaced takes effect. */
  readonly token: string | (() => string);
  /** Default `default`. */
  readonly ecosystem?: string | undefined;
  /** Receives messages about the connection, for a log. */
  readonly onRemark?: ((text: string) => void) | undefined;
  /** Default: {@link openLockChannel}. */
  readonly openChannel?: (options: LockChannelOptions) => Promise<OpenLockChannel>;
}

/** Locks that are acquired, renewed and released over one channel. */
export type ConnectedLocks = ReturnType<typeof locksOver> & {
  /** Closes the channel. What is held is held on until its TTL. */
  close(): void;
};

/** A request over HTTP waits no longer: below what proxies give a request. */
const HTTP_WAIT_MS = 10_000;
const CHANNEL_WAIT_MS = 60_000;
/** The proxy that refused the upgrade may be gone by then. Each attempt costs a request. */
const RETRY_MS = 30_000;

/**
 * The locks of a process that locks often, over a channel: a request and its answer are one message each. The channel is opened
 * by the first request, and again after it was lost. Where none can be opened, and for what it has no place, HTTP is used.
 */
export function openLocks(options: OpenLocksOptions): ConnectedLocks {
  const connector = new LockConnector(options);
  return { ...locksOver(connector, CHANNEL_WAIT_MS), close: () => connector.close() };
}

/** closed → opening → channel, or http for a while where it cannot be opened; channel → closed when it is lost. */
class LockConnector implements LockEdge {
  readonly #options: OpenLocksOptions;
  readonly #http: LockEdge;
  #channel: Promise<OpenLockChannel | undefined> | undefined;
  #retryAtMs = Number.NEGATIVE_INFINITY;
  #closed = false;

  constructor(options: OpenLocksOptions) {
    this.#options = options;
    const { url, ecosystem = "default" } = options;
    // The token of now.
    const connection = (): Connection => ({ url, token: this.#token, fetch: (...args) => fetch(...args) });
    this.#http = httpLocks({
      call: (answer, call) => request(connection(), answer, call),
      inside: (path) => `/v1/${encodeURIComponent(ecosystem)}${path}`,
    });
  }

  async acquire(name: string, asked: LockAcquisition, signal?: AbortSignal) {
    const channel = await this.#open();
    const overHttp = () => {
      const wait_ms = Math.min(asked.wait_ms ?? 0, HTTP_WAIT_MS);
      return this.#http.acquire(name, { ...asked, wait_ms }, signal);
    };
    if (channel === undefined) return overHttp();
    try {
      return await channel.acquire(name, asked, signal);
    } catch (error) {
      if (error instanceof ApiProblem && error.problem.type === "/problems/channel-full") return overHttp();
      throw error;
    }
  }

  async renew(name: string, fence: number, ttlMs: number, timeoutMs?: number) {
    return ((await this.#open()) ?? this.#http).renew(name, fence, ttlMs, timeoutMs);
  }

  async release(name: string, fence: number) {
    return ((await this.#open()) ?? this.#http).release(name, fence);
  }

  close(): void {
    this.#closed = true;
    const open = this.#channel;
    this.#channel = undefined;
    void open?.then((channel) => channel?.close());
  }

  /** @returns `undefined`: no channel can be opened now */
  #open(): Promise<OpenLockChannel | undefined> {
    if (this.#channel !== undefined) return this.#channel;
    if (this.#closed || performance.now() < this.#retryAtMs) return Promise.resolve(undefined);
    const { url, ecosystem = "default", openChannel = openLockChannel, onRemark } = this.#options;
    const opening: Promise<OpenLockChannel | undefined> = openChannel({
      url,
      token: this.#token,
      ecosystem,
      onClose: () => this.#lost(opening),
    }).catch((error: unknown) => {
      // A refusal by the edge itself comes over HTTP too.
      this.#lost(opening);
      this.#retryAtMs = performance.now() + RETRY_MS;
      onRemark?.(`the channel for locks could not be opened (${messageOf(error)}); locking over plain HTTP`);
      return undefined;
    });
    this.#channel = opening;
    return opening;
  }

  #lost(channel: Promise<OpenLockChannel | undefined>): void {
    if (this.#channel === channel) this.#channel = undefined;
  }

  get #token(): string {
    const { token } = this.#options;
    return typeof token === "function" ? token() : token;
  }
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));
