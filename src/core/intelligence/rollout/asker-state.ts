import { ARMS, type ArmName, type ArmOutcomes, MAX_REQUESTS, type OutcomeInput } from "./api.ts";
import { Arm } from "./arm.ts";

type Arms = Record<ArmName, Arm>;

/**
 * What an asker holds of the roll-out: the share by which it decides, and what it measured and has not reported yet. Which
 * side a request takes is decided here, without a question to anybody.
 */
export class AskerState {
  readonly #reporter: string;
  /** By the version that decided. */
  readonly #measured = new Map<number, Arms>();
  /** Was sent, and is not confirmed: it goes again as it is, under its number. */
  #report: OutcomeInput | undefined;
  #number = 0;
  #share = 100;
  #version = 0;

  /** @param reporter - names the process, and no other */
  constructor(reporter: string) {
    this.#reporter = reporter;
  }

  get share(): number {
    return this.#share;
  }

  get version(): number {
    return this.#version;
  }

  /** Takes a state over. One that is older than the known one came late, unless `surely`. @returns whether it was taken */
  learn(state: { readonly share: number; readonly version: number }, surely = false): boolean {
    if (state.version < this.#version && !surely) return false;
    this.#share = state.share;
    this.#version = state.version;
    return true;
  }

  add(arm: ArmName, outcomes: ArmOutcomes): void {
    const arms = this.#measured.get(this.#version) ?? { live: new Arm(), library: new Arm() };
    this.#measured.set(this.#version, arms);
    // An edge that was away for so long learns of the first million.
    if (arms[arm].requests < MAX_REQUESTS) arms[arm].add(outcomes);
  }

  /** Whether something waits to be reported. */
  get owes(): boolean {
    return this.#report !== undefined || this.#measured.size > 0;
  }

  /** The report to be sent next: the one that is not confirmed, or what was measured since; at last one without figures. */
  next(): OutcomeInput {
    if (this.#report !== undefined) return this.#report;
    this.#number += 1;
    const head = { reporter: this.#reporter, number: this.#number, version: this.#version };
    const [oldest] = this.#measured;
    if (oldest === undefined) return head;
    const [version, arms] = oldest;
    this.#measured.delete(version);
    const measured = ARMS.filter((arm) => arms[arm].requests > 0).map((arm) => [arm, arms[arm].outcomes()]);
    const report: OutcomeInput = { ...head, version, ...Object.fromEntries(measured) };
    this.#report = report;
    return report;
  }

  /** The edge has taken the report, or will never take it. */
  confirmed(report: OutcomeInput): void {
    if (this.#report?.number === report.number) this.#report = undefined;
  }
}
