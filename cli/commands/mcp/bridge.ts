import type { McpMessage } from "../../../src/client/mcp.ts";
import { explain } from "../../failure.ts";
import { PERMISSION_REQUEST } from "./permission-relay.ts";

/** What a message is sent with. */
export interface Sending {
  readonly message: McpMessage;
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

export interface BridgeOptions {
  /** Sends a message to the edge. */
  readonly send: (sending: Sending) => AsyncIterable<McpMessage>;
  /** Writes a message to the client. */
  readonly write: (message: McpMessage) => void;
  /** Added to what the server says that it can do. */
  readonly experimental: Readonly<Record<string, object>>;
  /** Called when the client knows what the server can do. */
  readonly onReady: () => void;
  /** Called with what the session asks permission for. Without it such a message ends here: it is for no server of tools. */
  readonly onPermissionRequest?: ((params: unknown) => void) | undefined;
  /** Called with each call of a tool and its result. */
  readonly onToolResult: (params: McpMessage, result: McpMessage) => void;
}

const REVISION = "io.modelcontextprotocol/protocolVersion";
/** Which parameter of a method the header `Mcp-Name` repeats. */
const NAMED: Readonly<Record<string, string>> = {
  "tools/call": "name",
  "prompts/get": "name",
  "resources/read": "uri",
};
const INTERNAL_ERROR = -32_603;

/**
 * Passes the messages of a client on its standard input to the edge, and the answers back. It keeps no session, because the
 * edge keeps none: an edge that was away and comes back answers the next message.
 */
export class Bridge {
  readonly #options: BridgeOptions;
  /** Requests that have no answer yet. */
  readonly #open = new Map<unknown, AbortController>();
  /** Of a client that began with a handshake; others name it with each request. */
  #revision: string | undefined;

  constructor(options: BridgeOptions) {
    this.#options = options;
  }

  /** Takes a line of the client. Resolves when it is answered. */
  async take(line: string): Promise<void> {
    let message: unknown;
    try {
      message = JSON.parse(line);
    } catch {
      return this.#write({ jsonrpc: "2.0", id: null, error: { code: -32_700, message: "Parse error: no JSON" } });
    }
    if (!isRecord(message) || typeof message.method !== "string") return; // an answer, for which nobody has asked
    if (message.method === "notifications/cancelled") {
      if (isRecord(message.params)) this.#open.get(message.params.requestId)?.abort(new Error("cancelled"));
      return;
    }
    if (message.method === PERMISSION_REQUEST) return this.#options.onPermissionRequest?.(message.params);
    const ended = new AbortController();
    const { id, method } = message;
    if (id !== undefined) this.#open.set(id, ended);
    try {
      const sending = { message, headers: this.#headersOf(method, message), signal: ended.signal };
      for await (const answer of this.#options.send(sending)) this.#pass(method, message, answer);
    } catch (error) {
      if (id !== undefined && !ended.signal.aborted) this.#write(failed(id, method, explain(error).text));
    } finally {
      this.#open.delete(id);
    }
  }

  /** Ends all requests. */
  close(): void {
    for (const ended of this.#open.values()) ended.abort(new Error("the client has gone"));
  }

  #pass(method: string, message: McpMessage, answer: McpMessage): void {
    const { result } = answer;
    if (!isRecord(result) || answer.id !== message.id) return this.#write(answer);
    if (method === "initialize" || method === "server/discover") {
      if (typeof result.protocolVersion === "string") this.#revision = result.protocolVersion;
      const capabilities = isRecord(result.capabilities) ? result.capabilities : {};
      const { experimental } = this.#options;
      const more = Object.keys(experimental).length === 0 ? {} : { experimental };
      this.#write({ ...answer, result: { ...result, capabilities: { ...capabilities, ...more } } });
      return this.#options.onReady();
    }
    this.#write(answer);
    if (method === "tools/call" && isRecord(message.params)) this.#options.onToolResult(message.params, result);
  }

  #headersOf(method: string, { id, params }: McpMessage): Record<string, string> {
    const named = isRecord(params) ? params : {};
    const meta = isRecord(named._meta) ? named._meta[REVISION] : undefined;
    const headers: Record<string, string> = { "Mcp-Method": method };
    const revision = typeof meta === "string" ? meta : method === "initialize" ? undefined : this.#revision;
    if (revision !== undefined) headers["MCP-Protocol-Version"] = revision;
    const name = named[NAMED[method] ?? ""];
    if (typeof name === "string") headers["Mcp-Name"] = name;
    // A call whose answer was lost is sent again, and must be the same to the edge.
    if (method === "tools/call" && id !== undefined) headers["Idempotency-Key"] = crypto.randomUUID();
    return headers;
  }

  #write(message: McpMessage): void {
    this.#options.write(message);
  }
}

/** A model reads what its tools answer, and nobody reads the errors of a protocol. */
function failed(id: unknown, method: string, text: string): McpMessage {
  if (method !== "tools/call") return { jsonrpc: "2.0", id, error: { code: INTERNAL_ERROR, message: text } };
  const result = { resultType: "complete", content: [{ type: "text", text }], isError: true };
  return { jsonrpc: "2.0", id, result };
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
