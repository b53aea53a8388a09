import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";

/** The official client, connected to an ecosystem of a real edge. */
export async function connect(url: string, token: string): Promise<Client> {
  const client = new Client(
    { name: "test", version: "1.0.0" },
    { versionNegotiation: { mode: { pin: "2026-07-28" } } },
  );
  await client.connect(
    new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers: { Authorization: `Bearer ${token}` } } }),
  );
  return client;
}

/** @returns what a tool answered @throws Error where it was refused */
export async function answerOf<Answer>(client: Client, name: string, args: Record<string, unknown>): Promise<Answer> {
  const { structuredContent, isError, content } = await client.callTool({ name, arguments: args });
  if (isError === true) throw new Error(`${name} was refused: ${JSON.stringify(content)}`);
  return structuredContent as Answer;
}
