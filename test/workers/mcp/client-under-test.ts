import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { ADMIN, call } from "../api/calls.ts";

/** The present revision of the protocol, and what clients speak that have not been told otherwise. */
export const ERAS = ["2026-07-28", "2025-11-25"] as const;
export type Era = (typeof ERAS)[number];

interface Options {
  readonly token?: string;
  readonly era?: Era;
  /** Of the URL, such as `?tools=work`. */
  readonly query?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The official client, connected to the MCP server of an ecosystem. */
export async function connect(ecosystem: string, options: Options = {}): Promise<Client> {
  const { token = ADMIN, era = ERAS[0], query = "", headers = {} } = options;
  const modern = era === ERAS[0];
  const client = new Client(
    { name: "test", version: "1.0.0" },
    modern ? { versionNegotiation: { mode: { pin: era } } } : {},
  );
  const transport = new StreamableHTTPClientTransport(new URL(`https://edge.test/v1/${ecosystem}/mcp${query}`), {
    requestInit: { headers: { ...headers } },
    fetch: (url, init) => {
      const { pathname, search } = new URL(url);
      return call(`${pathname}${search}`, { ...(init as RequestInit), token });
    },
  });
  await client.connect(transport);
  return client;
}

export interface Outcome {
  readonly isError: boolean;
  /** What the text says. */
  readonly json: Record<string, unknown>;
  readonly structured: unknown;
}

/** Calls a tool, and checks that the text is the JSON of the structured content. */
export async function use(client: Client, name: string, args: Record<string, unknown> = {}): Promise<Outcome> {
  const { content, structuredContent, isError = false } = await client.callTool({ name, arguments: args });
  const [first] = content as { type: string; text?: string }[];
  if (first?.type !== "text") throw new Error(`the content of ${name} is no text`);
  return { isError, json: JSON.parse(first.text ?? ""), structured: structuredContent };
}

/** As {@link use}, of a call that must not be refused. */
export async function answerOf<Answer>(client: Client, name: string, args: Record<string, unknown> = {}) {
  const { isError, json, structured } = await use(client, name, args);
  if (isError) throw new Error(`${name} was refused: ${JSON.stringify(json)}`);
  if (JSON.stringify(json) !== JSON.stringify(structured)) throw new Error(`the text of ${name} says something else`);
  return json as Answer;
}
