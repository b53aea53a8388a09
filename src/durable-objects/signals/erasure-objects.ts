import type { PlacementVariables } from "../../core/deployment/placement.ts";
import type { ErasableObject } from "../shell/object-erasure.ts";
import { type Namespace, objectNamed } from "../shell/ports.ts";

/** Bindings to the objects of which sources are erased. */
export interface ErasureBindings extends PlacementVariables {
  readonly POLICY_STATE: Namespace<ErasableObject>;
  readonly OBSERVATION_CACHE: Namespace<ErasableObject>;
  readonly WORKER_BOARD: Namespace<ErasableObject>;
  readonly AGENT_REGISTRY: Namespace<ErasableObject>;
  readonly DEAD_LETTERS: Namespace<ErasableObject>;
  readonly DIRECTORY: Namespace<{ queues(ecosystem: string): Promise<readonly { readonly name: string }[]> }>;
  readonly PRIORITY_QUEUE: Namespace<ErasableObject>;
  readonly WEBHOOKS: Namespace<ErasableObject>;
  readonly MODELS: Namespace<ErasableObject>;
  readonly INTELLIGENCE: Namespace<ErasableObject>;
  readonly TELEMETRY: Namespace<ErasableObject>;
  readonly IDEMPOTENCY_KEYS: Namespace<ErasableObject>;
  readonly AUDIT_LOG: Namespace<ErasableObject>;
  readonly SCHEDULES: Namespace<ErasableObject>;
  readonly NOTES: Namespace<ErasableObject>;
  readonly QUESTIONS: Namespace<ErasableObject>;
  readonly LOCKS: Namespace<ErasableObject>;
  readonly LIMITS: Namespace<ErasableObject>;
}

/** The rules first: what they have decided and not yet handed on is not handed on any more. */
export const FIRST_OBJECT = "PolicyState";
const QUEUE = "PriorityQueue/";

/** Behind the queues: what becomes of tasks goes on to these. */
const BEHIND_QUEUES: readonly string[] = [
  "Webhooks",
  "Models",
  "Telemetry",
  "Schedules",
  "Notes",
  "Questions",
  "Locks",
  "Limits",
  "DeadLetters",
  "IdempotencyKeys",
  "AuditLog",
];

/** The objects of an ecosystem beside its log, by the names of their classes. */
export class ErasureObjects {
  readonly #env: ErasureBindings;
  readonly #ecosystem: string;

  constructor(env: ErasureBindings, ecosystem: string) {
    this.#env = env;
    this.#ecosystem = ecosystem;
  }

  named(name: string): ErasableObject {
    const env = this.#env;
    if (name.startsWith(QUEUE))
      return objectNamed(env.PRIORITY_QUEUE, `${this.#ecosystem}/${name.slice(QUEUE.length)}`, env);
    const namespace = this.#namespaces()[name];
    if (namespace === undefined) throw new Error(`an erasure has come to an object that is not known: ${name}`);
    return objectNamed(namespace, this.#ecosystem, env);
  }

  /** Those that every ecosystem has, in the order in which they are searched. */
  get own(): string[] {
    return Object.keys(this.#namespaces());
  }

  /** @returns `undefined`: there is none after it */
  async after(name: string): Promise<string | undefined> {
    const before = this.own.filter((own) => !BEHIND_QUEUES.includes(own));
    const place = before.indexOf(name);
    if (place >= 0 && place < before.length - 1) return before[place + 1];
    const behind = BEHIND_QUEUES.indexOf(name);
    if (behind >= 0) return BEHIND_QUEUES[behind + 1];
    const queues = await objectNamed(this.#env.DIRECTORY, "directory", this.#env).queues(this.#ecosystem);
    const names = queues.map((queue) => QUEUE + queue.name).sort();
    return names.find((queue) => !name.startsWith(QUEUE) || queue > name) ?? BEHIND_QUEUES[0];
  }

  #namespaces(): Readonly<Record<string, Namespace<ErasableObject>>> {
    const env = this.#env;
    return {
      [FIRST_OBJECT]: env.POLICY_STATE,
      ObservationCache: env.OBSERVATION_CACHE,
      WorkerBoard: env.WORKER_BOARD,
      Webhooks: env.WEBHOOKS,
      Models: env.MODELS,
      Intelligence: env.INTELLIGENCE,
      AgentRegistry: env.AGENT_REGISTRY,
      DeadLetters: env.DEAD_LETTERS,
      Telemetry: env.TELEMETRY,
      IdempotencyKeys: env.IDEMPOTENCY_KEYS,
      AuditLog: env.AUDIT_LOG,
      Schedules: env.SCHEDULES,
      Notes: env.NOTES,
      Questions: env.QUESTIONS,
      Locks: env.LOCKS,
      Limits: env.LIMITS,
    };
  }
}
