import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import type { ReadableStream } from "node:stream/web";
import { atEnd } from "../../harness/cleanup.ts";

/** Named at run time: under Node's types the Worker's own sources would not compile. */
const SERVE = "../../../src/workers/api/mcp/serve.ts";
const LIBRARY = "@modelcontextprotocol/server";

type Serve = (request: Request, body: unknown, served: object) => Promise<Response>;

const inputSchema = { type: "object" };
const said = { content: [{ type: "text", text: "said" }] };

/** A tool that the conformance suite looks for, and that nobody else would want. */
const fixture = (name: string, call: () => Promise<object>) => ({
  name,
  operations: [],
  scopes: [],
  entry: () => ({ name, inputSchema }),
  call,
});

/** The server of the edge itself, under Node, with the tools by which the conformance suite tries what a server may not do. */
export async function serveFixtures(): Promise<string> {
  const { serve } = (await import(SERVE)) as { serve: Serve };
  const { MissingRequiredClientCapabilityError } = await import(LIBRARY);
  const tools = [
    fixture("test_missing_capability", () =>
      Promise.reject(new MissingRequiredClientCapabilityError({ requiredCapabilities: { sampling: {} } })),
    ),
    fixture("test_streaming_elicitation", () => Promise.resolve(said)),
    fixture("test_logging_tool", () => Promise.resolve(said)),
  ];
  const grant = { id: "t", name: "t", scopes: ["admin"], ecosystems: ["*"], expires_at: null };
  const edge = () => Promise.reject(new Error("no fixture calls the API"));
  const server = createServer((from, to) => {
    const answered = async () => {
      const body: unknown = JSON.parse(await text(from));
      const headers = Object.entries(from.headers).map(([name, value]): [string, string] => [name, String(value)]);
      const request = new Request(`http://127.0.0.1${from.url}`, {
        method: "POST",
        headers,
        body: JSON.stringify(body),
      });
      const answer = await serve(request, body, { ecosystem: "default", grant, tools, edge });
      to.writeHead(answer.status, Object.fromEntries(answer.headers));
      if (answer.body === null) to.end();
      else Readable.fromWeb(answer.body as ReadableStream).pipe(to);
    };
    answered().catch((error: unknown) => to.destroy(error as Error));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  atEnd(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}
