import type { Server } from "@modelcontextprotocol/server";
import type { Grant } from "../../../core/access/grant.ts";
import { Problem } from "../../../core/problem/problem.ts";
import { logLine } from "../../../durable-objects/shell/log-line.ts";
import { VERSION } from "../deployment/version.ts";
import { answerError } from "../http/refusal.ts";
import type { AskEdge } from "./edge-calls.ts";
import { groupOf } from "./groups.ts";
import { INSTRUCTIONS } from "./instructions.ts";
import { mayUse, type Tool, type ToolResult } from "./tool.ts";

/** What a token may do changes with a new token alone. */
const LIST_TTL_MS = 300_000;
/** Which tools are listed depends on the token, so nobody else may be given the list. */
const LISTS = { ttlMs: LIST_TTL_MS, cacheScope: "private" } as const;

export interface Served {
  readonly ecosystem: string;
  readonly grant: Grant;
  /** The tools of the groups that were asked for. */
  readonly tools: readonly Tool[];
  readonly edge: AskEdge;
}

type Library = typeof import("@modelcontextprotocol/server");

/**
 * The library of the protocol. A third of a second of the CPU is what loading it takes, so no isolate does that before the
 * first request for MCP.
 */
const loadLibrary = (): Promise<Library> => import("@modelcontextprotocol/server");

/** Answers one request of the protocol, of its present revision or of an earlier one. Nothing is kept between requests. */
export async function serve(request: Request, body: unknown, served: Served): Promise<Response> {
  const library = await loadLibrary();
  const handler = library.createMcpHandler(() => serverOf(library, served), {
    legacy: "stateless",
    onerror: (error) => {
      // Requests that break the protocol are answered, and are no trouble of the edge's.
      if (
        !(error instanceof library.ProtocolError) &&
        !/^(Rejected inbound|Unsupported Media Type)/.test(error.message)
      )
        logLine("error", "mcp-failed", { ecosystem: served.ecosystem, error });
    },
  });
  return handler.fetch(request, { parsedBody: body });
}

function serverOf(library: Library, { ecosystem, grant, tools, edge }: Served): Server {
  const { ProtocolError, ProtocolErrorCode } = library;
  const server = new library.Server(
    { name: "ganglion", title: "Ganglion", version: VERSION },
    {
      capabilities: { tools: {} },
      instructions: INSTRUCTIONS,
      cacheHints: { "server/discover": LISTS, "tools/list": LISTS },
    },
  );
  server.setRequestHandler("tools/list", () => {
    const nowMs = Date.now();
    return { tools: tools.filter((tool) => mayUse(tool, grant, ecosystem, nowMs)).map(({ entry }) => entry()) };
  });
  server.setRequestHandler("tools/call", async ({ params }) => {
    const tool = tools.find(({ name }) => name === params.name);
    if (tool === undefined) throw new ProtocolError(ProtocolErrorCode.InvalidParams, unknownTool(params.name));
    // Where a scope is missing the call inside says so, in words that help.
    return { ...(await tool.call(params.arguments, edge).catch(failed)) };
  });
  return server;
}

function unknownTool(name: string): string {
  const group = groupOf(name);
  const where =
    group === undefined ? "List the tools: tools/list." : `Connect with ?tools=default,${group} to use the tool.`;
  return `Unknown tool: ${name.slice(0, 128)}. ${where}`;
}

/** What nobody has foreseen is logged, and its caller learns that it failed, and nothing else. */
async function failed(error: unknown): Promise<ToolResult> {
  const found = Problem.parse(await answerError(error).json());
  return { content: [{ type: "text", text: JSON.stringify(found) }], isError: true };
}
