import { authorisation, type Connection, urlOf } from "./http/exchange.ts";
import { EdgeUnreachable, problemFrom } from "./http/problem-errors.ts";
import { backoffMs, isTransient, pause } from "./http/retry.ts";

type Edge = Pick<Connection, "url" | "token">;

/** A message of JSON-RPC. */
export type McpMessage = Readonly<Record<string, unknown>>;

export interface McpCall {
  /** Path of the server of an ecosystem. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | undefined>>;
  readonly message: McpMessage;
  /** Headers in which the protocol repeats what the message says. */
  readonly headers: Readonly<Record<string, string>>;
  /** For how long a server that is away is tried again, in milliseconds. */
  readonly patienceMs: number;
  readonly signal: AbortSignal;
}

const MAX_DELAY_MS = 2_000;

/**
 * Sends a message to the MCP server of the edge. A server that is away is tried again for a while: say by an
 * `Idempotency-Key` that a repeated call is the same.
 *
 * @returns what the server answers, message by message, as it comes
 * @throws ApiProblem, EdgeUnreachable, or the reason of `signal`
 */
export async function* callMcp(connection: Edge, call: McpCall): AsyncGenerator<McpMessage, void, void> {
  const untilMs = Date.now() + call.patienceMs;
  for (let attempt = 1; ; attempt++) {
    try {
      yield* answersTo(connection, call);
      return;
    } catch (error) {
      if (call.signal.aborted) throw call.signal.reason;
      const delayMs = backoffMs(attempt, MAX_DELAY_MS);
      if (!isTransient(error) || Date.now() + delayMs > untilMs) throw error;
      await pause(delayMs, call.signal);
    }
  }
}

async function* answersTo(
  { url, token }: Edge,
  { path, query, message, headers, signal }: McpCall,
): AsyncGenerator<McpMessage, void, void> {
  try {
    const response = await fetch(urlOf(url, path, query), {
      method: "POST",
      headers: {
        ...authorisation(token),
        "Content-Type": "application/json",
        Accept: "application/json, text/event-stream",
        ...headers,
      },
      body: JSON.stringify(message),
      signal,
    });
    const type = response.headers.get("content-type")?.split(";", 1)[0];
    if (type === "text/event-stream" && response.body !== null) {
      yield* eventsIn(response.body);
      return;
    }
    const text = await response.text();
    // The protocol's own refusals are answers, too.
    if (type === "application/json") yield readMessage(text);
    else if (!response.ok) throw problemFrom(response.status, text, response.headers.get("retry-after"));
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new EdgeUnreachable(url, error); // that of `fetch` and of its body
  }
}

async function* eventsIn(body: ReadableStream<Uint8Array>): AsyncGenerator<McpMessage, void, void> {
  let rest = "";
  for await (const chunk of body.pipeThrough(new TextDecoderStream())) {
    const events = `${rest}${chunk}`.split("\n\n");
    rest = events.pop() ?? "";
    for (const event of events) {
      const data = event.split("\n").filter((line) => line.startsWith("data:"));
      // A comment keeps the connection open.
      if (data.length > 0) yield readMessage(data.map((line) => line.replace(/^data: ?/, "")).join("\n"));
    }
  }
}

function readMessage(text: string): McpMessage {
  const message: unknown = JSON.parse(text);
  if (typeof message !== "object" || message === null || Array.isArray(message))
    throw new Error("an answer of the MCP server is no message");
  return message as McpMessage;
}
