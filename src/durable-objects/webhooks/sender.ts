import { ExpressionError } from "../../core/policy/expression.ts";
import { WorkExceeded } from "../../core/policy/work-budget.ts";
import type { TestOutcome } from "../../core/webhooks/api.ts";
import { readMessage } from "../../core/webhooks/delivery.ts";
import type { WebhookContent } from "../../core/webhooks/formats/message.ts";
import { type RenderedRequest, renderRequest } from "../../core/webhooks/formats/render.ts";
import { compileTemplate } from "../../core/webhooks/formats/template.ts";
import { permissionOf } from "../../core/webhooks/permission.ts";
import type { EndpointResponse } from "../../core/webhooks/schedule.ts";
import type { Permission } from "../../core/webhooks/settings.ts";
import { ConnectionPlaces } from "../shell/connection-places.ts";
import type { Fetch } from "../shell/limited-fetch.ts";
import { PLATFORM } from "../shell/platform-limits.ts";
import { secretsOf } from "./endpoint-row.ts";
import { readSettings } from "./endpoint-settings.ts";
import { askPermission, send } from "./send.ts";
import { sendTest } from "./send-test.ts";
import type { EndpointRow, SentMessage } from "./webhook-store.ts";

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
  readonly #allowed: (endpoint: string, permission: Permission) => void;
  readonly #connections = new ConnectionPlaces(PLATFORM.connections, PLATFORM.connections);
  readonly #tests = new ConnectionPlaces(1, TESTS.waiting);

  /** @param allowed - takes the permission of an endpoint that was asked */
  constructor(fetch: Fetch, ecosystem: string, allowed: (endpoint: string, permission: Permission) => void) {
    this.#fetch = fetch;
    this.#ecosystem = ecosystem;
    this.#allowed = allowed;
  }

  /** One attempt, whose time limit begins when there is a connection for it. */
  async send(row: EndpointRow, message: SentMessage): Promise<EndpointResponse> {
    const settings = readSettings(row);
    const request = this.#render(row, message);
    if ("unsent" in request) return request;
    await this.#connections.take(NO_LIMIT_MS);
    try {
      if (settings.handshake === true && permissionOf(settings, Date.now()) === undefined) {
        const answer = await askPermission(row.url, settings, this.#fetch);
        if (!("at_ms" in answer)) return answer;
        this.#allowed(row.id, answer);
      }
      const { url, contentType, body } = request;
      const secrets = secretsOf(row, Date.now());
      const { headers = {} } = settings;
      const { id, trace } = message;
      return await send(url, { id, contentType, body, headers, trace, secrets }, this.#fetch);
    } finally {
      this.#connections.release();
    }
  }

  async test(row: EndpointRow): Promise<TestOutcome> {
    if (!(await this.#tests.take(TESTS.waitMs))) return TESTS_RUNNING;
    try {
      return await sendTest(row, this.#ecosystem, (message) => this.send(row, message));
    } finally {
      this.#tests.release();
    }
  }

  #render(row: EndpointRow, { id, type, message, cause, rule }: SentMessage): RenderedRequest | { unsent: string } {
    const settings = readSettings(row);
    // As it was stored: raw messages are sent as the bytes that were built when they were accepted.
    if (settings.format === undefined && settings.template === undefined)
      return { url: row.url, contentType: "application/json", body: message };
    const { timestamp, data } = readMessage(message);
    const about = { id, type, timestamp, data, ecosystem: this.#ecosystem, endpoint: row.id };
    const content: WebhookContent = {
      ...about,
      rule: rule ?? undefined,
      cause: cause ?? undefined,
      edge: settings.edge,
    };
    try {
      const { template } = settings;
      return renderRequest(row.url, settings, content, template === undefined ? undefined : compileTemplate(template));
    } catch (error) {
      if (!(error instanceof ExpressionError || error instanceof WorkExceeded)) throw error;
      return { unsent: `the template of the endpoint cannot be evaluated on this message: ${error.message}` };
    }
  }
}
