import { isEnough } from "../../core/group-commit/group-commit.ts";
import { SteadyFlow } from "../../core/group-commit/steady-flow.ts";
import type { TokenBucketOptions } from "../../core/group-commit/token-bucket.ts";
import type { AppendRequest } from "../../core/signals/api.ts";

interface Item {
  readonly request: AppendRequest;
  readonly bytes: number;
}

/**
 * Lets appends wait for each other while many hosts send all the time: each group is a row of the log, and twenty groups a
 * second are within what Cloudflare's plan includes. Appends of the edge's own objects never wait, and where rows cost
 * nothing no append does.
 */
export class AppendGatherer<Append extends Item> {
  readonly #flow: SteadyFlow | undefined;
  readonly #write: (appends: readonly Append[]) => void;
  #waiting: Append[] = [];
  #signals = 0;
  #bytes = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /**
   * @param groups - how many groups may be written; `undefined`: any number
   * @param write - takes appends in the order in which they came
   */
  constructor(groups: TokenBucketOptions | undefined, write: (appends: readonly Append[]) => void) {
    this.#flow = groups === undefined ? undefined : new SteadyFlow(groups);
    this.#write = write;
  }

  add(append: Append): void {
    const { request, bytes } = append;
    const own = request.producer !== undefined && request.producer.remote !== true;
    const waitMs = own ? 0 : (this.#flow?.waitMs(senderOf(request), Date.now()) ?? 0);
    this.#waiting.push(append);
    if (waitMs === 0) return this.#flush();
    this.#signals += request.signals.length;
    this.#bytes += bytes;
    if (isEnough(this.#signals, this.#waiting.length, this.#bytes)) this.#flush();
    else this.#timer ??= setTimeout(() => this.#flush(), waitMs);
  }

  /** A group was written, and its senders were answered. */
  written(appends: readonly Append[], nowMs: number): void {
    this.#flow?.written(new Set(appends.map(({ request }) => senderOf(request))), nowMs);
  }

  #flush(): void {
    if (this.#timer !== undefined) clearTimeout(this.#timer);
    this.#timer = undefined;
    const appends = this.#waiting;
    this.#waiting = [];
    this.#signals = 0;
    this.#bytes = 0;
    this.#write(appends);
  }
}

/** Of the facts of its signals, about. */
export function bytesOf({ signals }: AppendRequest): number {
  let bytes = 0;
  for (const { factsJson } of signals) bytes += factsJson.length;
  return bytes;
}

const senderOf = ({ producer, owner }: AppendRequest): string => producer?.name ?? owner ?? "";
