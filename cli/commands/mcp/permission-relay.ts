import { randomUUID } from "node:crypto";
import type { Client } from "../../../src/client/client.ts";
import { isTransient, pause } from "../../../src/client/http/retry.ts";
import type { McpMessage } from "../../../src/client/mcp.ts";
import { withoutSecrets } from "../../../src/core/questions/hide-secrets.ts";
import { BEHAVIORS, MAX_PREVIEW } from "../../../src/core/questions/permission.ts";
import { explain } from "../../failure.ts";

/** The capability by which a server is sent what a session asks permission for; a preview of Claude Code. */
export const PERMISSION_CHANNEL = "claude/channel/permission";
/** A session asks whether a tool may be used. Its own dialog stays open, too: whoever answers first has answered. */
export const PERMISSION_REQUEST = "notifications/claude/channel/permission_request";
const PERMISSION = "notifications/claude/channel/permission";

/** Requests of a session that wait at once, at most: a session has one dialog at a time. */
const MAX_OPEN = 20;
/** Ids of requests that are remembered, at most, so that none is asked twice. */
const MAX_REMEMBERED = 1_000;
const REQUEST_ID = /^[A-Za-z0-9_-]{1,64}$/;
const AGAIN_MS = 1_000;
/** For so long what nobody needs any more is taken back when the session ends. */
const GOODBYE_MS = 3_000;

export interface PermissionRelayOptions {
  readonly client: Client;
  /** Who decides: a person or a role. */
  readonly recipient: string;
  /** How long a decision is of use, in milliseconds. */
  readonly expiresMs: number;
  /** Where the session is, for who decides. */
  readonly session: string;
  readonly write: (message: McpMessage) => void;
  readonly warn: (text: string) => void;
}

/**
 * Carries what a session asks permission for to a person, and the decision back. Where there is none in time, or the edge is
 * away, nothing is sent: the session's own dialog stays, and silence allows nothing.
 */
export class PermissionRelay {
  readonly #options: PermissionRelayOptions;
  readonly #ended = new AbortController();
  /** In ids of requests, so that those of two sessions differ. */
  readonly #session = randomUUID();
  readonly #seen = new Set<string>();
  /** Requests that were asked and have no end yet. */
  readonly #open = new Map<string, Promise<void>>();

  constructor(options: PermissionRelayOptions) {
    this.#options = options;
  }

  /** Takes what a session asks. What cannot be asked is said on standard error. */
  take(params: unknown): void {
    const { warn } = this.#options;
    const request = readRequest(params);
    if (request === undefined) return warn("a request of permission is not valid, and is not relayed");
    // The same notification again is the same request, which has one answer.
    if (this.#seen.has(request.requestId)) return;
    if (this.#open.size >= MAX_OPEN)
      return warn(`more than ${MAX_OPEN} requests of permission wait: this one is not relayed`);
    if (this.#seen.size >= MAX_REMEMBERED) this.#seen.delete(this.#seen.values().next().value as string);
    this.#seen.add(request.requestId);
    const id = `perm-${this.#session}-${request.requestId}`;
    const relayed = this.#relay(id, request)
      .catch((error: unknown) => {
        if (!this.#ended.signal.aborted)
          warn(`the request to use ${request.tool} is not relayed: ${explain(error).text}`);
      })
      .finally(() => this.#open.delete(id));
    this.#open.set(id, relayed);
  }

  /** The session has ended: nobody is to decide about it any more. What cannot be taken back expires. */
  async close(): Promise<void> {
    const open = [...this.#open.keys()];
    this.#ended.abort(new Error("the session has ended"));
    const { client } = this.#options;
    const cancelled = Promise.allSettled(open.map((id) => client.questions.cancel(id)));
    await Promise.race([cancelled, new Promise((resolve) => setTimeout(resolve, GOODBYE_MS).unref())]);
  }

  async #relay(id: string, request: Request): Promise<void> {
    const { client, recipient, expiresMs, session, write } = this.#options;
    const untilMs = performance.now() + expiresMs;
    const leftMs = () => untilMs - performance.now();
    await this.#whileInTime(leftMs, () =>
      client.permissions.ask({
        id,
        tool_name: request.tool,
        recipient,
        session,
        expires: `${Math.max(1, Math.ceil(leftMs() / 1_000))}s`,
        // What is secret does not leave this host, as far as it is known by its form.
        description: withoutSecrets(request.description, MAX_PREVIEW),
        input_preview: withoutSecrets(request.preview, MAX_PREVIEW),
      }),
    );
    const decided = await this.#whileInTime(leftMs, async () => {
      const question = await client.questions.wait(id, { waitMs: leftMs(), signal: this.#ended.signal });
      // A wait ends early where too many wait: it goes on.
      return question.state === "open" && leftMs() > 0 ? undefined : question;
    });
    // A decision that comes later than was said is none, even where it was made in time: the session may be elsewhere by now.
    if (decided?.state !== "answered" || leftMs() <= 0 || this.#ended.signal.aborted) return;
    const behavior = BEHAVIORS.find((one) => one === decided.answer);
    if (behavior === undefined) return;
    write({ jsonrpc: "2.0", method: PERMISSION, params: { request_id: request.requestId, behavior } });
  }

  /** Tries until there is a result, over an edge that is away. @returns `undefined`: none in time */
  async #whileInTime<Result>(
    leftMs: () => number,
    attempt: () => Promise<Result | undefined>,
  ): Promise<Result | undefined> {
    const { signal } = this.#ended;
    let last: unknown;
    while (leftMs() > 0 && !signal.aborted) {
      try {
        const result = await attempt();
        if (result !== undefined) return result;
      } catch (error) {
        if (!isTransient(error)) throw error;
        last = error;
      }
      await pause(Math.max(0, Math.min(AGAIN_MS, leftMs())), signal);
    }
    if (last !== undefined) throw last;
    return undefined;
  }
}

interface Request {
  readonly requestId: string;
  readonly tool: string;
  readonly description: string;
  readonly preview: string;
}

function readRequest(params: unknown): Request | undefined {
  if (typeof params !== "object" || params === null) return undefined;
  const { request_id, tool_name, description, input_preview } = params as Readonly<Record<string, unknown>>;
  if (typeof request_id !== "string" || !REQUEST_ID.test(request_id)) return undefined;
  if (typeof tool_name !== "string" || tool_name === "") return undefined;
  return {
    requestId: request_id,
    tool: tool_name.slice(0, 200),
    description: typeof description === "string" ? description : "",
    preview: typeof input_preview === "string" ? input_preview : "",
  };
}
