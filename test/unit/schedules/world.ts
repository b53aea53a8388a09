import { ScheduleMachine, type TaskLook } from "../../../src/core/schedules/machine.ts";
import { admitSchedule, type ScheduleInput, type ScheduleSettings } from "../../../src/core/schedules/settings.ts";
import { type EndedRun, newState, type ScheduleState } from "../../../src/core/schedules/state.ts";

export const START = Date.parse("2026-03-28T12:00:00Z");

/** Where a call of the schedule may end: nothing after it happens. */
export type Crash = "before_store" | "after_store" | "after_call" | undefined;

interface QueuedTask {
  readonly id: string;
  takenMs: number | null;
  leasedUntilMs: number | null;
  end: TaskLook["end"];
}

/** One schedule with its store, a queue and a clock: what crashes leave is what was stored, and what the queue has. */
export class World {
  nowMs = START;
  settings: ScheduleSettings;
  readonly history: EndedRun[] = [];
  readonly told: string[] = [];
  readonly emitted: string[] = [];
  readonly tasks = new Map<string, QueuedTask>();
  /** Tasks by id, as often as they were queued anew. */
  readonly queued: string[] = [];
  full = false;
  #stored: ScheduleState;

  constructor(input: ScheduleInput) {
    this.settings = settingsOf(input);
    this.#stored = newState(this.nowMs, input.paused === true);
  }

  get state(): ScheduleState {
    return structuredClone(this.#stored);
  }

  get dueMs(): number | undefined {
    return this.#machine(this.#stored).dueMs(this.nowMs);
  }

  get open(): string[] {
    return this.#stored.open.map(({ id }) => id);
  }

  /** A change in one transaction. */
  change<Answer>(work: (machine: ScheduleMachine) => Answer, stores = true): Answer {
    const state = this.state;
    const machine = this.#machine(state);
    const answer = work(machine);
    if (!stores) return answer;
    this.#stored = state;
    const { limits, ended, emit } = machine.effects;
    this.history.push(...ended);
    this.told.push(...limits.map((change) => `${change.limit} ${change.state}`));
    this.emitted.push(...emit.map(({ id }) => id));
    return answer;
  }

  /** What an alarm does, as far as it comes. */
  act(crash?: Crash): void {
    const asked = this.#machine(this.#stored).looks(this.nowMs);
    const looks = asked.flatMap((id) => this.tasks.get(id) ?? []);
    this.change((machine) => {
      machine.observe(looks, asked, this.nowMs);
      machine.advance(this.nowMs);
    }, crash !== "before_store");
    if (crash === "before_store" || crash === "after_store") return;
    this.handOver(crash);
  }

  handOver(crash?: Crash): void {
    for (const { id } of this.#machine(this.#stored).toCancel(this.nowMs)) {
      const task = this.tasks.get(id);
      if (task !== undefined && task.end === null)
        task.end = { endedMs: this.nowMs, outcome: "cancelled", ranMs: null };
      if (crash === "after_call") return;
      this.change((machine) => machine.cancelled(id, this.nowMs));
    }
    const runs = this.#machine(this.#stored).toHand(this.nowMs);
    if (runs.length === 0) return;
    if (this.full) return this.change((machine) => machine.notHanded(this.nowMs));
    for (const { id } of runs) {
      if (this.tasks.has(id)) continue;
      this.tasks.set(id, { id, takenMs: null, leasedUntilMs: null, end: null });
      this.queued.push(id);
    }
    if (crash === "after_call") return;
    this.change((machine) =>
      machine.handed(
        runs.map(({ id }) => id),
        this.nowMs,
      ),
    );
  }

  /** Lets time pass, with an alarm whenever one is due. */
  pass(ms: number, crash?: () => Crash): void {
    const end = this.nowMs + ms;
    for (let turns = 0; turns < 5_000; turns++) {
      const due = this.dueMs;
      if (due === undefined || due > end) break;
      this.nowMs = Math.max(this.nowMs, due);
      this.act(crash?.());
    }
    this.nowMs = end;
  }

  take(id: string, leaseMs = 30_000): void {
    const task = this.tasks.get(id);
    if (task === undefined || task.end !== null) return;
    task.takenMs ??= this.nowMs;
    task.leasedUntilMs = this.nowMs + leaseMs;
  }

  /** @param notice - whether the schedule learns of the end at once */
  finish(id: string, outcome: "complete" | "failed" = "complete", notice = true): void {
    const task = this.tasks.get(id);
    if (task === undefined || task.end !== null) return;
    this.take(id);
    task.leasedUntilMs = null;
    task.end = { endedMs: this.nowMs, outcome, ranMs: this.nowMs - (task.takenMs ?? this.nowMs) };
    if (!notice) return;
    this.change((machine) => {
      machine.observe([task], [id], this.nowMs);
      machine.advance(this.nowMs);
    });
    this.handOver();
  }

  edit(input: ScheduleInput): void {
    const before = this.settings;
    this.settings = settingsOf(input);
    this.change((machine) => machine.edited(before, this.nowMs));
  }

  #machine(state: ScheduleState): ScheduleMachine {
    return new ScheduleMachine("nightly", this.settings, state, 0.5);
  }
}

export function settingsOf(input: ScheduleInput): ScheduleSettings {
  const admitted = admitSchedule(input);
  if (!admitted.ok) throw new Error(JSON.stringify(admitted.errors));
  return admitted.settings;
}

export const aTask = { recipient: "coder", type: "backup" };
export const minutes = (count: number) => count * 60_000;
export const hours = (count: number) => count * 3_600_000;
