import type { TestOutcome } from "../../core/webhooks/api.ts";
import type { EndpointResponse } from "../../core/webhooks/schedule.ts";
import { ConnectionPlaces } from "../shell/connection-places.ts";
import type { Fetch } from "../shell/limited-fetch.ts";
import { PLATFORM } from "../shell/platform-limits.ts";
import { send, type WebhookMessage } from "./send.ts";
import { sendTest } from "./send-test.ts";
import type { EndpointRow } from "./webhook-store.ts";

/** Tests of endpoints that wait for the one that runs, and for how long. */
const TESTS = { waiting: 16, waitMs: 20_000 } as const;
/** A delivery waits for its connection for as long as it takes: those before it end by their time limits. */
const NO_LIMIT_MS = 2 ** 31 - 1;
const TESTS_RUNNING: TestOutcome = {
  delivered: false,
  error: "not sent: other tests of endpoints are running. Try again",
  duration_ms: TESTS.waitMs,
};

/** Sends to endpoints, over as many connections as the runtime opens for an object; tests of endpoints take one of them. */
export class Sender {
  readonly #fetch: Fetch;
  readonly #ecosystem: string;
  readonly #connections = new ConnectionPlaces(PLATFORM.connections, PLATFORM.connections);
  readonly #tests = new ConnectionPlaces(1, TESTS.waiting);

  constructor(fetch: Fetch, ecosystem: string) {
    this.#fetch = fetch;
    this.#ecosystem = ecosystem;
  }

  /** One attempt, whose time limit begins when there is a connection for it. */
  async send(url: string, message: WebhookMessage): Promise<EndpointResponse> {
    await this.#connections.take(NO_LIMIT_MS);
    try {
      return await send(url, message, this.#fetch);
    } finally {
      this.#connections.release();
    }
  }

  async test(row: EndpointRow): Promise<TestOutcome> {
    if (!(await this.#tests.take(TESTS.waitMs))) return TESTS_RUNNING;
    try {
      return await sendTest(row, this.#ecosystem, (url, message) => this.send(url, message));
    } finally {
      this.#tests.release();
    }
  }
}
