import type { Author } from "../../core/access/author.ts";
import type {
  ArmOutcomes,
  IntelligenceHealth,
  OutcomeReport,
  Rollback,
  RollbackRequest,
  RolloutAnswer,
  RolloutChange,
  RolloutState,
  RolloutView,
} from "../../core/intelligence/rollout/api.ts";
import { HEALTH_SIGNAL_MS, healthFacts, healthOf } from "../../core/intelligence/rollout/health.ts";
import { Rollout } from "../../core/intelligence/rollout/rollout.ts";
import { EcosystemObject } from "../shell/ecosystem-object.ts";
import { NotedNumbers } from "../shell/noted-numbers.ts";
import { Outbox } from "../shell/outbox.ts";
import { OutboxRelay, RETRY_MS, type RelayBindings } from "../shell/outbox-relay.ts";
import type { Schema } from "../shell/schema.ts";
import { EvidenceStore } from "./evidence-store.ts";

/** How often rows that are an hour old are looked for, in milliseconds. */
const FORGET_EVERY_MS = 60_000;
/** What is rolled out, in the facts of its signals. */
const NAME = "intelligence";

/**
 * The shared intelligence of one ecosystem: the roll-out of live discovery, and what its askers measured in the last hour.
 *
 * Askers decide by themselves, by the state that they were last told: with the answer to each of their reports, and by the
 * signals of a change. State, evidence and signals are written in one transaction.
 */
export class Intelligence extends EcosystemObject<RelayBindings> {
  static override readonly schema: Schema = { of: "Intelligence", steps: [] };
  readonly #store: EvidenceStore;
  readonly #numbers: NotedNumbers;
  readonly #outbox: Outbox;
  readonly #relay: OutboxRelay;
  #rollout: Rollout;
  #forgetAtMs = 0;

  constructor(ctx: DurableObjectState, env: RelayBindings) {
    super(ctx, env);
    const { ecosystem, sql, alarms } = this;
    this.#store = new EvidenceStore(sql);
    this.#numbers = new NotedNumbers(this.#store.notes, (epoch) => `ganglion.intelligence.${epoch}`);
    this.#outbox = new Outbox(sql, this.#numbers);
    this.#rollout = this.#load();
    this.#relay = new OutboxRelay({
      env,
      outbox: this.#outbox,
      ecosystem,
      name: "intelligence",
      wakeBy: (atMs) => alarms.wakeBy(atMs),
    });
  }

  rollout(): RolloutView {
    return this.#rollout.view(Date.now());
  }

  health(): IntelligenceHealth {
    return healthOf(this.#rollout.evidence, Date.now());
  }

  /** Takes a report of an asker. @returns the state by which the asker decides from now on */
  report(report: OutcomeReport): RolloutState {
    if (report.live !== undefined || report.library !== undefined) this.#take(report, Date.now());
    return this.#rollout.state;
  }

  setRollout(change: RolloutChange, by: Author): RolloutAnswer {
    const nowMs = Date.now();
    return this.#change(nowMs, (): RolloutAnswer => {
      const before = this.#rollout.set(change, by.name, nowMs);
      const { state } = this.#rollout;
      if (before === undefined) return { ok: false, conflict: state.version };
      const { share, version, note } = state;
      this.#store.writeRollout(this.#rollout.stored);
      this.#emit(
        "Q_ROLLOUT_CHANGED",
        { rollout: NAME, share, share_before: before.share, version, note, by: by.name, by_id: by.id },
        nowMs,
      );
      return { ok: true, state };
    });
  }

  rollBack({ note }: RollbackRequest, by: Author): RolloutState {
    const nowMs = Date.now();
    return this.#change(nowMs, () => {
      this.#rolledBack(this.#rollout.rollBack(note, by.name, nowMs), { by: by.name, by_id: by.id }, nowMs);
      return this.#rollout.state;
    });
  }

  override async alarm(): Promise<void> {
    await this.#relay.run();
  }

  #take(report: OutcomeReport, nowMs: number): void {
    this.#change(nowMs, () => {
      if (!this.#store.noteReport(report.reporter, report.number, nowMs)) return;
      if (nowMs >= this.#forgetAtMs) {
        this.#store.forget(this.#rollout.evidence.forget(nowMs));
        this.#forgetAtMs = nowMs + FORGET_EVERY_MS;
      }
      const { slice, rolledBack } = this.#rollout.take(report, nowMs);
      this.#store.writeSlice(slice, this.#rollout.evidence.stored(slice));
      if (rolledBack !== undefined) this.#rolledBack(rolledBack, {}, nowMs);
      if (report.live !== undefined) this.#signalHealth(report.live, nowMs);
    });
  }

  /** Once a minute while live hosts are asked, and at once where something must never happen. */
  #signalHealth({ mismatches, corrupted }: ArmOutcomes, nowMs: number): void {
    const lastMs = Number(this.#store.notes.read("health_ms") ?? "0");
    if (mismatches + corrupted === 0 && nowMs - lastMs < HEALTH_SIGNAL_MS) return;
    this.#store.notes.write("health_ms", String(nowMs));
    this.#emit("Q_INTELLIGENCE_HEALTH", healthFacts(healthOf(this.#rollout.evidence, nowMs)), nowMs);
  }

  #rolledBack({ at: _, ...rollback }: Rollback, by: Record<string, string>, nowMs: number): void {
    const { share, version, note } = this.#rollout.state;
    this.#store.writeRollout(this.#rollout.stored);
    this.#emit(
      "Q_ROLLOUT_ROLLED_BACK",
      { rollout: NAME, ...rollback, share, version, ...(note === null ? {} : { note }), ...by },
      nowMs,
    );
  }

  #emit(signal: string, facts: Record<string, unknown>, nowMs: number): void {
    this.#outbox.emit({ signal, source: "ganglion/intelligence", facts, timestampMs: nowMs });
  }

  /** Changes memory and disk together, or neither. */
  #change<Result>(nowMs: number, change: () => Result): Result {
    const result = this.transaction(
      () => {
        const changed = change();
        this.#numbers.write();
        return changed;
      },
      () => {
        this.#numbers.reload();
        this.#rollout = this.#load();
      },
    );
    if (!this.#outbox.empty) {
      // In the same turn, hence in the same write to the disk: a crash cannot lose the alarm of a change.
      this.alarms.wakeBy(nowMs + RETRY_MS);
      this.ctx.waitUntil(this.#relay.run());
    }
    return result;
  }

  #load(): Rollout {
    const rollout = new Rollout(this.#store.rollout());
    this.#store.restoreInto(rollout.evidence);
    return rollout;
  }
}
