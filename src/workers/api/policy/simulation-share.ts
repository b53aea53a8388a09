import { Pace } from "../../../core/policy/pace.ts";
import { problem } from "../../../core/problem/problem.ts";
import type { Environment } from "../../bindings/environment.ts";
import { policyState } from "../../bindings/objects.ts";
import { Refusal } from "../http/refusal.ts";

/** Steps of one request: a few seconds of one processor. */
const REQUEST_STEPS = 5_000_000;
/** Steps without a pause: some milliseconds. All objects of the deployment may share the processor. */
const STRETCH_STEPS = 20_000;
/** The turn is kept by asking for it again; pauses come more often than that is necessary. */
const RENEW_MS = 1_500;

/**
 * The share of the processor that one simulation has: one simulation of an ecosystem runs at a time, in short stretches,
 * for a bounded number of them, and it ends when its caller leaves.
 */
export class SimulationShare {
  readonly pace = new Pace({ steps: REQUEST_STEPS, stretch: STRETCH_STEPS, pause: () => this.#pause() });
  readonly #id = crypto.randomUUID();
  readonly #env: Environment;
  readonly #ecosystem: string;
  readonly #caller: AbortSignal;
  #renewedMs = 0;

  /** @param caller - aborted when the caller leaves */
  constructor(env: Environment, ecosystem: string, caller: AbortSignal) {
    this.#env = env;
    this.#ecosystem = ecosystem;
    this.#caller = caller;
  }

  /** Does the work when it is this simulation's turn. @throws Refusal while another simulation has it */
  async use<Result>(work: () => Promise<Result>): Promise<Result> {
    await this.#keepTurn();
    try {
      return await work();
    } finally {
      await policyState(this.#env, this.#ecosystem).endSimulation(this.#id);
    }
  }

  /** Keeps the turn. @throws Refusal where the caller has left, or another simulation has the turn */
  async renew(): Promise<void> {
    if (this.#caller.aborted) {
      throw new Refusal(problem("caller-left", 499, "The caller left", "The simulation ended with its request."));
    }
    if (Date.now() - this.#renewedMs > RENEW_MS) await this.#keepTurn();
  }

  /** Lets others work. */
  async #pause(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, 0));
    await this.renew();
  }

  async #keepTurn(): Promise<void> {
    const answer = await policyState(this.#env, this.#ecosystem).simulationTurn(this.#id);
    this.#renewedMs = Date.now();
    if (answer.granted) return;
    const seconds = Math.max(1, Math.ceil(answer.retryAfterMs / 1_000));
    const detail = `Another simulation of the ecosystem "${this.#ecosystem}" is running. Try again in ${seconds} s.`;
    throw new Refusal(
      problem("simulation-running", 429, "Another simulation is running", detail, {
        retry_after_ms: answer.retryAfterMs,
      }),
      { "Retry-After": String(seconds) },
    );
  }
}
