import type { Position } from "./position.ts";

/** Where a log ends. An object of an earlier version gives no epoch. */
export interface ReachedLog {
  readonly head_seq: number;
  readonly epoch?: string;
}

/** A log that is not the one which a projection has followed: `head` is where the common part ends. */
export interface OtherLog {
  readonly head: number;
  /** An empty log began in its place; otherwise the same log was set back, as by a restored backup. */
  readonly replaced: boolean;
}

/**
 * Knows which log a projection follows. A log that was lost begins anew under another epoch, and one that was set back ends
 * before the projection's cursor: either way what comes then are other signals under numbers that the projection has seen.
 */
export class FollowedLog {
  readonly #position: Position;
  readonly #reached: () => Promise<ReachedLog>;
  #foreign = 0;

  constructor(position: Position, reached: () => Promise<ReachedLog>) {
    this.#position = position;
    this.#reached = reached;
  }

  /** Messages of other logs that were refused since the object woke. */
  get foreign(): number {
    return this.#foreign;
  }

  /** Whether a message may be taken for one of the followed log without asking. */
  knows(epoch: string | undefined): boolean {
    return epoch === undefined || epoch === this.#position.logEpoch;
  }

  /** Counts a message of another deployment, or of a log that is gone. */
  refuse(): void {
    this.#foreign++;
  }

  /** Asks the log itself: what a message says may be old, or of another deployment. @returns `undefined`: the same log */
  async compare(): Promise<{ readonly epoch: string | undefined; readonly other: OtherLog | undefined }> {
    const { head_seq, epoch } = await this.#reached();
    const { logEpoch, cursor } = this.#position;
    if (epoch !== undefined && logEpoch !== null && epoch !== logEpoch)
      return { epoch, other: { head: 0, replaced: true } };
    return { epoch, other: head_seq < cursor ? { head: head_seq, replaced: false } : undefined };
  }
}
