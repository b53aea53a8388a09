import type { DeadLetterRecord } from "../../core/dead-letters/dead-letter.ts";
import { needOfEffect, refusedReach } from "../../core/federation/author-rights.ts";
import type { MaintenanceChange } from "../../core/introspection/api.ts";
import type { SettleRequest } from "../../core/limits/api.ts";
import { isOptional } from "../../core/policy/optional-endpoints.ts";
import type { GivenAnswer } from "../../core/questions/machine.ts";
import type { EnqueueAnswer } from "../../core/queue/api.ts";
import { readQueueAddress } from "../../core/queue/queue-address.ts";
import type { NewTask } from "../../core/queue/task.ts";
import { formatTimestamp } from "../../core/signals/timestamp.ts";
import type { NewDelivery } from "../../core/webhooks/api.ts";
import { AuthorGrants, type GrantBindings } from "./author-grants.ts";
import type { BridgeNumbers } from "./bridge-numbers.ts";
import type { EffectFates, EffectOutbox, PendingEffect } from "./effect-outbox.ts";
import { ForwardRelay } from "./forward-relay.ts";
import { logLine } from "./log-line.ts";
import type { AppendCalls } from "./outbox-relay.ts";
import { type Namespace, objectNamed } from "./ports.ts";

/** The call that switches maintenance. */
export interface MaintenanceCalls {
  changeMaintenance(change: MaintenanceChange, by: { name: string; id: string }): Promise<unknown>;
}

/** The call that answers a question to people. */
export interface AnswerCalls {
  answer(
    id: string,
    given: GivenAnswer,
  ): Promise<{ readonly question: object; readonly refused?: string } | { readonly foreign: string } | null>;
}

/** The call that charges what was used to a limit. */
export interface SettleCalls {
  settle(name: string, request: SettleRequest): Promise<object | null>;
}

/** Bindings to the objects that carry effects out. */
export interface EffectBindings extends GrantBindings {
  readonly SIGNAL_LOG: Namespace<AppendCalls>;
  readonly PRIORITY_QUEUE: Namespace<{ enqueue(tasks: readonly NewTask[]): Promise<EnqueueAnswer> }>;
  readonly WEBHOOKS: Namespace<{ deliver(deliveries: readonly NewDelivery[]): Promise<{ unknown: string[] }> }>;
  readonly OBSERVATION_CACHE: Namespace<MaintenanceCalls>;
  readonly QUESTIONS: Namespace<AnswerCalls>;
  readonly LIMITS: Namespace<SettleCalls>;
}

export interface EffectRelayOptions {
  readonly env: EffectBindings;
  readonly ecosystem: string;
  readonly effects: EffectOutbox;
  /** Name of the sender: of tasks, and in dead letters. */
  readonly sender: string;
  /** Takes an effect that its receiver refused for good. */
  readonly deadLetter: (record: DeadLetterRecord) => void;
  /** Is notified of what became of effects. */
  readonly fates: () => EffectFates | undefined;
  /** Numbers of what goes to other ecosystems. */
  readonly bridges: BridgeNumbers;
  readonly transaction: (change: () => void) => void;
}

const ECOSYSTEM = "ecosystem/";
/** Why an answer did not count; `undefined`: it did. */
function refusalIn(reply: object): string | undefined {
  if (!("refused" in reply) || typeof reply.refused !== "string") return undefined;
  return `not answered: ${REFUSED[reply.refused] ?? reply.refused}`;
}

const REFUSED: Readonly<Record<string, string>> = {
  answered: "somebody had answered before",
  expired: "the question had expired",
  cancelled: "the question was taken back",
  option: "the answer is none of the options",
  kind: "it asks for a permission, which rules do not give",
};

/** Hands effects to the queues, the webhooks and the object that keeps the maintenance. */
export class EffectRelay {
  readonly #options: EffectRelayOptions;
  readonly #authors: AuthorGrants;
  readonly #forwards: ForwardRelay;

  constructor(options: EffectRelayOptions) {
    this.#options = options;
    this.#authors = new AuthorGrants(options.env);
    const { env, ecosystem, effects, bridges, transaction, fates } = options;
    this.#forwards = new ForwardRelay({
      own: ecosystem,
      effects,
      numbers: bridges,
      logOf: (name) => objectNamed(env.SIGNAL_LOG, name, env),
      transaction,
      refusal: (pending) => this.#refusalOf(pending),
      fates,
    });
  }

  /** @returns whether something is left that has to be tried again */
  async run(): Promise<boolean> {
    const { effects } = this.#options;
    let left = false;
    for (const receiver of effects.receivers()) {
      try {
        if (receiver.startsWith(ECOSYSTEM)) {
          if (!(await this.#forwards.deliver(receiver, receiver.slice(ECOSYSTEM.length)))) left = true;
          continue;
        }
        for (let batch = effects.next(receiver); batch.length > 0; batch = effects.next(receiver)) {
          const pending = batch.map((row) => row.pending);
          if (!(await this.#handOver(receiver, pending))) {
            left = true;
            break;
          }
          effects.forget(receiver, batch.at(-1)?.number ?? 0);
        }
      } catch (error) {
        logLine("warn", "effects-not-taken", { receiver, error });
        left = true;
      }
    }
    return left;
  }

  #handOver(receiver: string, pending: readonly PendingEffect[]): Promise<boolean> {
    if (receiver === "webhook") return this.#callWebhooks(pending);
    if (receiver === "maintenance") return this.#changeMaintenance(pending);
    if (receiver === "answer") return this.#answer(pending);
    if (receiver === "limit") return this.#charge(pending);
    return this.#enqueue(receiver.slice("queue/".length), pending);
  }

  /** The author's rights are those of now: the token may have lost them since the rule was put. */
  async #refusalOf({ effect, author }: PendingEffect): Promise<string | undefined> {
    const { ecosystem } = this.#options;
    if (effect.kind === "limit") return undefined;
    const need = needOfEffect(effect, ecosystem);
    return need === undefined ? undefined : refusedReach(await this.#authors.of(author), need, ecosystem, Date.now());
  }

  async #allowed(pending: readonly PendingEffect[]): Promise<PendingEffect[]> {
    const allowed: PendingEffect[] = [];
    for (const one of pending) {
      const reason = await this.#refusalOf(one);
      if (reason === undefined) allowed.push(one);
      else this.#options.fates()?.refused?.(one, reason);
    }
    return allowed;
  }

  /** @param address - `<queue>`, or `<ecosystem>/<queue>` */
  async #enqueue(address: string, waiting: readonly PendingEffect[]): Promise<boolean> {
    const { env, deadLetter } = this.#options;
    const { ecosystem, queue } = readQueueAddress(address, this.#options.ecosystem);
    const pending = ecosystem === this.#options.ecosystem ? waiting : await this.#allowed(waiting);
    if (pending.length === 0) return true;
    const object = objectNamed(env.PRIORITY_QUEUE, `${ecosystem}/${queue}`, env);
    const answer = await object.enqueue(pending.flatMap((one) => this.#taskOf(one)));
    if ("overloaded" in answer) return false;
    if (!("full" in answer)) return true;
    // A full queue takes all or none. Handed over one by one, tasks go in while there is room; the rest are dead letters.
    for (const one of pending) {
      const alone = await object.enqueue(this.#taskOf(one));
      if ("overloaded" in alone) return false;
      if ("full" in alone) deadLetter(this.#refusedTask(one, address, alone.capacity));
    }
    return true;
  }

  #taskOf({ id, effect, cause, trace, depth }: PendingEffect): NewTask[] {
    if (effect.kind !== "enqueue") return [];
    return [
      {
        taskId: effect.taskId ?? id,
        recipient: effect.recipient,
        type: effect.type,
        payloadJson: JSON.stringify(effect.payload),
        priority: effect.priority,
        delayMs: effect.delayMs,
        maxAttempts: effect.maxAttempts,
        timeoutMs: effect.timeoutMs ?? null,
        deadlineMs: effect.deadlineMs ?? null,
        sender: this.#options.sender,
        caller: null,
        cause: { id: cause, trace, depth },
        ...(effect.needs === undefined ? {} : { needs: effect.needs }),
        ...(effect.accept === undefined ? {} : { accept: effect.accept }),
        ...(effect.limits === undefined ? {} : { limits: effect.limits }),
      },
    ];
  }

  #refusedTask(
    { id, effect, cause, trace, depth, rule }: PendingEffect,
    queue: string,
    capacity: number,
  ): DeadLetterRecord {
    return {
      id: `policy.${id}`,
      kind: "task",
      task: { task_id: id, queue, ...effect, cause, trace, depth },
      error: `rule ${rule}: the queue ${queue} is full, it holds ${capacity} tasks`,
      daemon: this.#options.sender,
    };
  }

  /** What was used counts once: the limits know a repeated settlement. Of a limit that is gone nothing is counted. */
  async #charge(pending: readonly PendingEffect[]): Promise<boolean> {
    const { env, ecosystem } = this.#options;
    const object = objectNamed(env.LIMITS, ecosystem, env);
    for (const { effect } of pending) if (effect.kind === "limit") await object.settle(effect.limit, effect.request);
    return true;
  }

  async #changeMaintenance(pending: readonly PendingEffect[]): Promise<boolean> {
    const { env, ecosystem, sender } = this.#options;
    const object = objectNamed(env.OBSERVATION_CACHE, ecosystem, env);
    for (const { effect, rule } of pending) {
      if (effect.kind !== "maintenance") continue;
      const { enabled, reason } = effect;
      await object.changeMaintenance({ enabled, reason }, { name: `rule ${rule}`, id: sender });
    }
    return true;
  }

  /** Who answered first has answered: a rule that comes later, or names no question, has no effect, and its decision says so. */
  async #answer(pending: readonly PendingEffect[]): Promise<boolean> {
    const { env, ecosystem, fates } = this.#options;
    const object = objectNamed(env.QUESTIONS, ecosystem, env);
    for (const { id, effect, rule } of pending) {
      if (effect.kind !== "answer") continue;
      const { question, answer, comment } = effect;
      const by = { name: rule, id: rule, way: "rule" } as const;
      // The same effect that is handed over again is the same answer.
      const reply = await object.answer(question, { answer, comment, by, key: `effect-${id}` });
      const wrong = reply === null ? `there is no question "${question}"` : refusalIn(reply);
      if (wrong !== undefined) fates()?.undelivered?.(id, wrong);
    }
    return true;
  }

  /**
   * A message to an endpoint that does not exist becomes a dead letter: the rule counts as fired, so nothing else would
   * report that the message reached nobody. Optional messages are counted instead, until their endpoint is made.
   */
  async #callWebhooks(pending: readonly PendingEffect[]): Promise<boolean> {
    const { env, ecosystem, deadLetter, fates } = this.#options;
    const deliveries = pending.flatMap(({ id, effect, cause, rule, trace }) =>
      effect.kind === "webhook"
        ? [{ id, endpoint: effect.endpoint, body: JSON.stringify(effect.body), cause, rule, trace }]
        : [],
    );
    const unknown = new Set((await objectNamed(env.WEBHOOKS, ecosystem, env).deliver(deliveries)).unknown);
    for (const one of pending) {
      const { effect, rule } = one;
      if (effect.kind !== "webhook" || !unknown.has(one.id)) continue;
      const unheard = isOptional(rule, effect) ? effect.endpoint : undefined;
      fates()?.undelivered?.(one.id, `there was no webhook endpoint "${effect.endpoint}"`, unheard);
      if (unheard === undefined) deadLetter(this.#refusedMessage(one, effect.endpoint, effect.body));
    }
    return true;
  }

  #refusedMessage({ id, cause, rule }: PendingEffect, endpoint: string, data: unknown): DeadLetterRecord {
    return {
      id: `policy.${id}`,
      kind: "webhook",
      webhook: { id, endpoint, timestamp: formatTimestamp(Date.now()), data, cause, rule },
      error: `rule ${rule}: no webhook endpoint "${endpoint}"; add it (ganglion webhooks add ${endpoint} <url>), then replay`,
      daemon: this.#options.sender,
    };
  }
}
