import type { LinkPace } from "../../src/core/wire/link-frames.ts";

/** As many signals make a frame worth its price, and wait no longer. */
const ENOUGH = 64;

/**
 * When a lane may be sent. Each frame is an append of its own, with a row and a message at the edge, so where the edge asks
 * for it, signals that follow others gather for a moment: observations longer, as they are read as a window. The first after
 * a pause goes at once, and so do enough signals for a frame. What waits because the edge was away or refused is a backlog:
 * it goes as fast as the edge takes it.
 */
export class LanePacing {
  #sentMs = Number.NEGATIVE_INFINITY;
  #unsent = 0;
  /** Something is unsent that is no observation. */
  #others = false;
  #backlog = true;
  /** The last frame was full: the end of a flood must not wait as long as a trickle. */
  #flood = false;
  #pace: LinkPace | undefined;

  /** @param pace - how long signals gather; `undefined`: not at all */
  set pace(pace: LinkPace | undefined) {
    this.#pace = pace;
  }

  put(signals: number, observations: boolean): void {
    this.#unsent += signals;
    if (!observations) this.#others = true;
  }

  /** What is unsent goes without waiting. */
  hurry(): void {
    this.#backlog = true;
  }

  /** Until when the lane gathers; `undefined`: the lane may be sent now. */
  waitingUntil(nowMs: number): number | undefined {
    const pace = this.#pace;
    if (pace === undefined || this.#backlog || this.#unsent === 0 || this.#unsent >= ENOUGH) return undefined;
    const untilMs = this.#sentMs + (this.#others || this.#flood ? pace.others_ms : pace.observations_ms);
    return untilMs > nowMs ? untilMs : undefined;
  }

  /** Frames of the lane were sent. @param all - nothing is left unsent */
  sent(all: boolean, nowMs: number): void {
    this.#sentMs = nowMs;
    this.#flood = this.#unsent >= ENOUGH || !all;
    this.#unsent = 0;
    this.#others = false;
    this.#backlog = !all;
  }
}
