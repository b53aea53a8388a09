import { scheduleSamples } from "../../core/metrics/samples.ts";
import type { RunReport, Schedule, ScheduleFinding, SchedulePage, ScheduleRun } from "../../core/schedules/api.ts";
import { limitSignal, SCHEDULES_SOURCE } from "../../core/schedules/limit-signal.ts";
import { ScheduleMachine, type TaskLook } from "../../core/schedules/machine.ts";
import type { NoRun } from "../../core/schedules/run-ledger.ts";
import { kindOf, MAX_SCHEDULES, type ScheduleKind, type ScheduleSettings } from "../../core/schedules/settings.ts";
import { partOf } from "../../core/schedules/spread.ts";
import { newState } from "../../core/schedules/state.ts";
import { endedView, findingsIn, openViews, scheduleView } from "../../core/schedules/view.ts";
import { formatTimestamp } from "../../core/signals/timestamp.ts";
import { DirectoryMark, unlisted } from "../shell/directory-mark.ts";
import { EcosystemObject } from "../shell/ecosystem-object.ts";
import { OwnSignals } from "../shell/own-signals.ts";
import type { Schema } from "../shell/schema.ts";
import { runDue } from "./due-run.ts";
import { schedulesErasure } from "./erasure.ts";
import type { SchedulesBindings } from "./ports.ts";
import { QueueCalls } from "./queue-calls.ts";
import { ScheduleStore, type StoredSchedule } from "./schedule-store.ts";

/** The alarm is at most so far ahead, so that a clock that was set back keeps no schedule silent. */
const AHEAD_MS = 86_400_000;
const MAX_PAGE_CHARS = 8 * 1024 * 1024;
const MAX_FINDINGS = 200;

/** Runs of another kind are not those that were asked for. */
export interface OtherKind {
  readonly kind: ScheduleKind;
}

/**
 * The schedules of an ecosystem: tasks and signals at their times, and jobs elsewhere that report theirs.
 *
 * A change of a schedule, its history and the signals that follow from it are one transaction, and one alarm wakes for the
 * first of all schedules that is due. Tasks are handed to their queues after that, under ids that follow from their times: a
 * crash before the hand-over repeats it, and the queue knows a task that it has.
 */
export class Schedules extends EcosystemObject<SchedulesBindings> {
  static override readonly schema: Schema = {
    of: "Schedules",
    steps: [],
    copy: {
      // The directory of another deployment does not know yet that the ecosystem has schedules.
      without: unlisted,
    },
    erasure: schedulesErasure,
  };
  readonly #store: ScheduleStore;
  readonly #signals: OwnSignals;
  readonly #mark: DirectoryMark<"scheduling">;
  readonly #queues: QueueCalls;
  /** An alarm is at work, and sets the next one at its end; the runtime repeats one whose object was lost. */
  #acting = false;

  constructor(ctx: DurableObjectState, env: SchedulesBindings) {
    super(ctx, env);
    const { ecosystem, sql, alarms } = this;
    this.#store = new ScheduleStore(sql);
    const wakeBy = (atMs: number) => alarms.wakeBy(atMs);
    const common = { ctx, env, ecosystem, sql, name: "schedules", notes: this.#store.notes, wakeBy };
    this.#signals = new OwnSignals(common);
    this.#mark = new DirectoryMark({ ...common, mark: "scheduling" });
    this.#queues = new QueueCalls(env, ecosystem);
    this.reports.of(() => ({ samples: scheduleSamples(this.#store.counts), folded: 0 }));
  }

  list(after: string, limit: number): SchedulePage {
    const schedules: Schedule[] = [];
    let chars = 0;
    for (const { name, settings, state } of this.#store.after(after, limit + 1)) {
      const view = scheduleView(name, settings, state);
      chars += JSON.stringify(view).length;
      if (schedules.length >= limit || (schedules.length > 0 && chars > MAX_PAGE_CHARS))
        return { schedules, next: schedules.at(-1)?.name ?? null };
      schedules.push(view);
    }
    return { schedules, next: null };
  }

  /** The schedule with its open runs as their queue knows them. */
  async show(name: string): Promise<Schedule | null> {
    await this.#lookAtOpen(name);
    return this.#view(name);
  }

  /** The newest first; `null`: there is no such schedule. */
  async runs(name: string): Promise<ScheduleRun[] | null> {
    await this.#lookAtOpen(name);
    const stored = this.#store.read(name);
    if (stored === undefined) return null;
    return [...openViews(stored.state), ...this.#store.history(name).map(endedView).reverse()];
  }

  /** Makes the schedule, or changes it. @returns `full`: there are too many */
  async put(name: string, settings: ScheduleSettings): Promise<Schedule | { readonly full: number }> {
    const before = this.#store.read(name);
    if (before === undefined && this.#store.count >= MAX_SCHEDULES) return { full: MAX_SCHEDULES };
    const nowMs = Date.now();
    const stored = { name, settings, state: before?.state ?? newState(nowMs, settings.paused === true) };
    this.#transact(stored, (machine) => {
      if (before !== undefined) machine.edited(before.settings, nowMs);
      if (settings.paused !== undefined) machine.pause(settings.paused, nowMs);
    });
    await this.#mark.update(this.#store.any);
    return scheduleView(name, settings, stored.state);
  }

  /** @returns whether there was one. Tasks that it has made stay in their queue */
  async remove(name: string): Promise<boolean> {
    const stored = this.#store.read(name);
    if (stored === undefined) return false;
    this.#transact(
      stored,
      (machine) => machine.deleted(),
      () => this.#store.delete(name),
    );
    await this.#mark.update(this.#store.any);
    return true;
  }

  /** @returns the state of the schedule; `null`: there is none */
  pause(name: string, paused: boolean): Schedule | null {
    this.#change(name, (machine, nowMs) => machine.pause(paused, nowMs));
    return this.#view(name);
  }

  /** Makes a run now, by hand. @param id - of the run, so that a request that is repeated makes no other */
  run(name: string, id: string): { readonly run: string; readonly none: NoRun | null } | OtherKind | null {
    const answer = this.#change(name, (machine, nowMs, { settings }) =>
      kindOf(settings) === "outside"
        ? { kind: kindOf(settings) }
        : { run: id, none: machine.runNow(id, nowMs) ?? null },
    );
    return answer ?? null;
  }

  /** Takes what a job elsewhere reports. @param report - `null`: a sign of life */
  report(name: string, report: RunReport | null): Schedule | OtherKind | null {
    const kind = this.#change(name, (machine, nowMs, { settings }) => {
      if (kindOf(settings) !== "outside") return kindOf(settings);
      if (report === null) machine.beat(nowMs);
      else machine.report(report, nowMs);
      return undefined;
    });
    return kind === undefined ? this.#view(name) : { kind };
  }

  /** A queue says how tasks of a schedule have ended. */
  ended(name: string, looks: readonly TaskLook[]): void {
    const ids = looks.map(({ id }) => id);
    this.#change(name, (machine, nowMs) => {
      machine.observe(looks, ids, nowMs);
      machine.advance(nowMs);
    });
  }

  /** The limits that are broken, of so many `schedules` of `total`. */
  attention(): { findings: ScheduleFinding[]; schedules: number; total: number } {
    const { schedules, total } = this.#store.broken(MAX_FINDINGS);
    const findings = schedules.flatMap(({ name, settings, state }) => findingsIn(name, settings, state));
    return { findings, schedules: schedules.length, total };
  }

  override async alarm(): Promise<void> {
    const change = this.#change.bind(this);
    this.#acting = true;
    try {
      await runDue({ store: this.#store, queues: this.#queues, change });
      await this.#mark.update(this.#store.any);
      await this.#signals.run();
    } finally {
      this.#acting = false;
      this.#wake();
    }
  }

  #view(name: string): Schedule | null {
    const stored = this.#store.read(name);
    return stored === undefined ? null : scheduleView(name, stored.settings, stored.state);
  }

  async #lookAtOpen(name: string): Promise<void> {
    const stored = this.#store.read(name);
    const queue = stored?.settings.task?.queue;
    const ids = stored?.state.open.filter(({ handed }) => handed).map(({ id }) => id) ?? [];
    if (queue === undefined || ids.length === 0) return;
    const looks = await this.#queues.look(queue, ids);
    if (looks === undefined) return;
    this.#change(name, (machine, nowMs) => {
      machine.observe(looks, ids, nowMs);
      machine.advance(nowMs);
    });
  }

  /** Changes a schedule that is there, in one transaction. @returns `undefined`: it is not there */
  #change<Answer>(
    name: string,
    work: (machine: ScheduleMachine, nowMs: number, stored: StoredSchedule) => Answer,
  ): Answer | undefined {
    const stored = this.#store.read(name);
    return stored === undefined ? undefined : this.#transact(stored, (machine, nowMs) => work(machine, nowMs, stored));
  }

  #transact<Answer>(
    stored: StoredSchedule,
    work: (machine: ScheduleMachine, nowMs: number) => Answer,
    store?: () => void,
  ): Answer {
    const { name, settings, state } = stored;
    const nowMs = Date.now();
    const machine = new ScheduleMachine(name, settings, state, partOf(this.ecosystem + name));
    const answer = this.transaction(
      () => {
        const given = work(machine, nowMs);
        this.#emit(stored, machine, nowMs);
        if (store === undefined) {
          this.#store.addHistory(name, machine.effects.ended);
          this.#store.write(stored, machine.dueMs(nowMs));
        } else store();
        this.#signals.write();
        return given;
      },
      () => this.#signals.reload(),
    );
    this.#wake();
    return answer;
  }

  #emit({ name, settings, state }: StoredSchedule, { effects }: ScheduleMachine, nowMs: number): void {
    for (const change of effects.limits) {
      const id = this.#signals.emit({ ...limitSignal(name, settings, change), timestampMs: nowMs });
      const broken = state.broken[change.limit];
      if (change.state === "raised" && broken !== undefined) broken.signal = id;
    }
    if (settings.signal === undefined) return;
    const { signal, facts } = settings.signal;
    for (const { timeMs } of effects.emit) {
      const about = { schedule: name, time: formatTimestamp(timeMs), ...facts };
      this.#signals.emit({ signal, source: SCHEDULES_SOURCE, facts: about, timestampMs: nowMs });
    }
  }

  /** In the turn of the change, hence in the same write to the disk: a crash cannot lose the alarm of a change. */
  #wake(): void {
    if (this.#acting) return;
    const nowMs = Date.now();
    const due = this.#store.nextDueMs;
    if (due !== undefined) this.alarms.wakeBy(Math.min(Math.max(due, nowMs), nowMs + AHEAD_MS));
    this.#signals.handOver();
  }
}
