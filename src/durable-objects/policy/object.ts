import type { Author } from "../../core/access/author.ts";
import type {
  DeletionAnswer,
  EditAnswer,
  ExpectationPage,
  Policy,
  PolicyHistory,
  PolicyOverview,
  RuleEdit,
} from "../../core/policy/api.ts";
import type { Decision, DecisionsPage, DecisionsQuery } from "../../core/policy/decision.ts";
import type { PolicyAttention } from "../../core/policy/late-expectation.ts";
import { listExpectations } from "../../core/policy/list-expectations.ts";
import { bodyOf, type PlannedVersion } from "../../core/policy/plan-edits.ts";
import { watchedPatterns } from "../../core/policy/rule.ts";
import type { StateImport, StateImportAnswer } from "../../core/policy/state-import.ts";
import type { Excess } from "../../core/quotas/excess.ts";
import { formatTimestamp } from "../../core/signals/timestamp.ts";
import type { SourceExport } from "../../core/telemetry/settings.ts";
import { POLICY_SOURCE } from "../../core/telemetry/sources.ts";
import { AttentionNudge } from "../shell/attention-nudge.ts";
import { ExportOutbox } from "../shell/export-outbox.ts";
import { logEpoch } from "../shell/migrations/2-log-epoch.ts";
import { projectionCounts } from "../shell/migrations/3-counts.ts";
import { objectNamed } from "../shell/ports.ts";
import { ProjectionObject } from "../shell/projection-object.ts";
import type { Schema } from "../shell/schema.ts";
import { contextPorts, type PolicyBindings } from "./bindings.ts";
import { DecisionStore } from "./decision-store.ts";
import { SOURCE } from "./effects.ts";
import { policyErasure } from "./erasure.ts";
import { forwardsWaiting } from "./forwards-waiting.ts";
import { LateExpectations } from "./late-expectations.ts";
import { QuestionContext } from "./question-context.ts";
import { Questions } from "./questions.ts";
import { ReplayOverrides } from "./replay-overrides.ts";
import { RuleProjection } from "./rule-projection.ts";
import { ruleSamples } from "./rule-samples.ts";
import { type Place, RuleVersions } from "./rule-versions.ts";
import { SimulationTurn, type SimulationTurnAnswer } from "./simulation-turn.ts";
import { StateImports } from "./state-imports.ts";
import { StateStore } from "./state-store.ts";

const VERSIONS_SHOWN = 100;

/** The rules of an ecosystem, their state, their expectations and their decisions. */
export class PolicyState extends ProjectionObject<PolicyBindings> {
  static override readonly schema: Schema = {
    of: "PolicyState",
    steps: [logEpoch, projectionCounts],
    erasure: policyErasure,
    copy: {
      leftOut: ["exported"],
      initial: {
        rules: "json_extract(body, '$.built_in') AND NOT json_extract(body, '$.modified')",
        rule_versions: "1",
      },
    },
  };
  readonly #rules: RuleVersions;
  readonly #decisions: DecisionStore;
  readonly #late: LateExpectations;
  readonly #exports: ExportOutbox;
  readonly #state: StateStore;
  readonly #work: RuleProjection;
  readonly #imports: StateImports;
  readonly #simulations = new SimulationTurn();

  constructor(ctx: DurableObjectState, env: PolicyBindings) {
    super(ctx, env, "policy");
    const { ecosystem, sql, alarms } = this;
    this.#rules = new RuleVersions(sql);
    const nudge = new AttentionNudge({ ctx, env, ecosystem });
    this.#late = new LateExpectations(sql, () => nudge.changed());
    this.#exports = new ExportOutbox({
      env,
      ecosystem,
      sql,
      source: POLICY_SOURCE,
      wakeBy: (atMs) => alarms.wakeBy(atMs),
      resolve: (place) => this.#decisions.exported(place),
    });
    this.#decisions = new DecisionStore(sql, this.#late, this.#exports, this.counts);
    this.#state = new StateStore(sql, this.#late);
    const parts = {
      projection: this.projection,
      log: () => objectNamed(env.SIGNAL_LOG, ecosystem, env),
      rules: this.#rules,
      state: this.#state,
      overrides: new ReplayOverrides(sql),
      decisions: this.#decisions,
    };
    this.#work = new RuleProjection({
      ...parts,
      questions: (settle) =>
        new Questions(sql, {
          ask: (question) => objectNamed(env.MODELS, ecosystem, env).ask(question),
          gather: (wanted, before) =>
            new QuestionContext(contextPorts(env, ecosystem, this.#decisions)).gather(wanted, before),
          settle,
        }),
      ecosystem,
      wakeBy: (atMs) => alarms.wakeBy(atMs),
      heap: this.heap,
    });
    this.projection.attach(this.#work);
    this.#imports = new StateImports({ ...parts, work: this.#work });
    this.reports.of(() => this.ownState(ruleSamples(this.#rules.current.values(), this.#work.engine)));
    const builtIn = this.#rules.planBuiltInRules();
    // The log sends the signals of the built-in rules without a subscription. The rules decide on signals from here on.
    if (builtIn.length > 0) this.#write(builtIn, { seq: this.projection.cursor, atMs: 0, changedMs: 0 }, null);
  }

  decisions(query: DecisionsQuery): DecisionsPage {
    return this.#decisions.list(query);
  }

  /** Decisions on the signals with these sequence numbers. */
  decisionsOn(seqs: readonly number[], limit: number): Decision[] {
    return this.#decisions.on(seqs, limit);
  }

  policies(): Policy[] {
    return this.#sorted().map((policy) => this.#shown(policy));
  }

  policy(id: string): PolicyHistory {
    const policy = this.#rules.current.get(id);
    return {
      policy: policy === undefined ? null : this.#shown(policy),
      versions: this.#rules.versions(id, VERSIONS_SHOWN),
    };
  }

  /** How many rules there are, which of them are not evaluated, and who has used up a share of one. */
  overview(): PolicyOverview & { readonly excess: readonly Excess[] } {
    return {
      excess: this.#work.excess.list(Date.now()),
      rules: this.#rules.current.size,
      quarantined: this.#quarantined,
      ...this.#unheard(),
    };
  }

  #unheard(): Pick<PolicyOverview, "unheard"> {
    const unheard = this.#state.unheard();
    return unheard.length === 0 ? {} : { unheard };
  }

  /** How many forwarded signals wait for each other ecosystem. */
  forwardsWaiting(): Record<string, number> {
    return forwardsWaiting(this.sql);
  }

  /** What of the rules may need somebody, in one call. */
  attention(): PolicyAttention {
    const rules = this.#rules.current;
    return {
      quarantined: this.#quarantined,
      late: this.#late.list(Date.now()).filter(({ rule }) => rules.has(rule)),
      forwardsWaiting: forwardsWaiting(this.sql),
      cursor: this.projection.cursor,
    };
  }

  /** One simulation of the ecosystem runs at a time; it asks again while it runs. */
  simulationTurn(simulation: string): SimulationTurnAnswer {
    return this.#simulations.take(simulation, Date.now());
  }

  endSimulation(simulation: string): void {
    this.#simulations.end(simulation);
  }

  /** The next to be due first. */
  expectations(query: { limit: number; after?: string; rule?: string }): ExpectationPage {
    return listExpectations(this.#work.engine, query);
  }

  /** Changes one rule, or several together: all of them or none. */
  changePolicies(edits: readonly RuleEdit[], by: Author): Promise<EditAnswer> {
    return this.projection.inTurn(() => this.#change(edits, by));
  }

  /** Replaces all rules: rules that are not named are deleted, and built-in ones go back to their originals. */
  replacePolicies(edits: readonly RuleEdit[], by: Author): Promise<EditAnswer> {
    return this.projection.inTurn(() => {
      const named = new Set(edits.map(({ id }) => id));
      const others = this.#sorted().filter(({ id, built_in, modified }) => !named.has(id) && (!built_in || modified));
      return this.#change([...others.map(({ id }) => ({ id, rule: null })), ...edits], by);
    });
  }

  /** Deletes a rule; a changed built-in rule goes back to its original. */
  deletePolicy(id: string, expected: number | undefined, by: Author): Promise<DeletionAnswer> {
    return this.projection.inTurn(async () => {
      const policy = this.#rules.current.get(id);
      if (policy === undefined) return { ok: false, kept: "unknown" };
      if (policy.built_in && !policy.modified) return { ok: false, kept: "built_in" };
      return this.#change([{ id, rule: null, expected }], by);
    });
  }

  /** @returns `null`: the rule does not exist */
  enablePolicy(id: string, enabled: boolean, by: Author): Promise<EditAnswer | null> {
    return this.projection.inTurn(async () => {
      const policy = this.#rules.current.get(id);
      if (policy === undefined) return null;
      return this.#change([{ id, rule: { ...bodyOf(policy), enabled } }], by);
    });
  }

  /** Takes over state of an older system, which holds the rule back. @returns `null`: the rule does not exist */
  importState(id: string, request: StateImport, by: Author): Promise<StateImportAnswer> {
    return this.projection.inTurn(() => this.#imports.take(id, request, by));
  }

  /** What of decisions goes to the export of the ecosystem, from now on. */
  exportTo(told: SourceExport): void {
    this.#exports.set(told);
  }

  override async alarm(): Promise<void> {
    await this.projection.alarm();
    await this.#exports.run();
  }

  get #quarantined(): string[] {
    return [...this.#rules.current.keys()].filter((id) => this.#work.engine.quarantine(id) !== undefined).sort();
  }

  #shown(policy: Policy): Policy {
    const quarantine = this.#work.engine.quarantine(policy.id);
    if (quarantine === undefined) return policy;
    const { atMs, seq, by, reason } = quarantine;
    return { ...policy, quarantined: { since: formatTimestamp(atMs), signal: { seq, id: by }, reason } };
  }

  #sorted(): Policy[] {
    return [...this.#rules.current.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  /**
   * New rules are in force from a definite position of the log on. First the log receives the subscription of the new
   * rules and answers with its position. Up to there the old rules decide, on every signal and time-out; then the new
   * rules are written. A crash in between leaves the old rules and a log that sends more signals than they need.
   */
  async #change(edits: readonly RuleEdit[], by: Author): Promise<EditAnswer> {
    const plan = this.#rules.plan(edits, by);
    if (!plan.ok) return plan;
    const { versions, unchanged } = plan;
    const ids = (kind: (version: PlannedVersion) => boolean) => versions.filter(kind).map(({ id }) => id);
    const isNew = ({ id }: PlannedVersion) => !this.#rules.current.has(id);
    const answer = {
      ok: true as const,
      created: ids((version) => version.rule !== null && isNew(version)),
      changed: ids((version) => version.rule !== null && !isNew(version)),
      deleted: ids((version) => version.rule === null),
      unchanged,
    };
    if (versions.length === 0) return { ...answer, after_seq: this.projection.cursor };
    const coming = versions.flatMap(({ rule }) => (rule === null ? [] : [{ ...rule, version: 1 }]));
    const reached = await this.#work.subscribe(watchedPatterns([...this.#rules.current.values(), ...coming]));
    await this.#work.takeInUpTo(reached);
    const place = { seq: this.projection.cursor, atMs: reached.now_ms, changedMs: 0 };
    this.#write(versions, place, by);
    await this.#work.settled(Date.now());
    return { ...answer, after_seq: place.seq };
  }

  #write(planned: readonly PlannedVersion[], place: Place, by: Author | null): void {
    this.projection.decide((decisions) => {
      const nowMs = Date.now();
      for (const { id, version, rule } of this.#rules.write(planned, place, by, nowMs)) {
        if (by === null) continue;
        decisions.emit({
          signal: "Q_POLICY_CHANGED",
          source: SOURCE,
          facts: {
            policy: id,
            version,
            deleted: rule === null,
            enabled: rule?.enabled ?? false,
            by: by.name,
            by_id: by.id,
          },
          timestampMs: nowMs,
        });
      }
      this.#work.reloadRules();
      this.#work.replaceRules();
    });
  }
}
