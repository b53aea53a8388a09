import type { Server, ServerContext } from "@modelcontextprotocol/server";
import * as z from "zod";
import { authorise, type Grant } from "../../../core/access/grant.ts";
import { Problem } from "../../../core/problem/problem.ts";
import { logLine } from "../../../durable-objects/shell/log-line.ts";
import { VERSION } from "../deployment/version.ts";
import { answerError } from "../http/refusal.ts";
import { type AskEdge, type EdgeCall, EdgeRefusal } from "./edge-calls.ts";
import { groupOf } from "./groups.ts";
import { INSTRUCTIONS } from "./instructions.ts";
import type { Listening } from "./listening.ts";
import { PROMPTS, promptText } from "./prompts.ts";
import { contentsOf, RESOURCE_SCOPE, RESOURCE_TEMPLATES, RESOURCES, readingOf } from "./resources.ts";
import { cancellingTask, detailedTask, looksAfterTasks, readingTask, TASKS } from "./tasks.ts";
import { mayUse, type TaskResult, type Tool } from "./tool.ts";
import { refusedResult, type ToolResult } from "./tool-result.ts";

/** What a token may do changes with a new token alone. */
const LIST_TTL_MS = 300_000;
/** Which tools are listed depends on the token, so nobody else may be given the list. */
const LISTS = { ttlMs: LIST_TTL_MS, cacheScope: "private" } as const;
/** What is read may have changed when it is read again. */
const READS = { ttlMs: 0, cacheScope: "private" } as const;
const CACHE_HINTS = {
  "server/discover": LISTS,
  "tools/list": LISTS,
  "prompts/list": LISTS,
  "resources/list": LISTS,
  "resources/templates/list": LISTS,
  "resources/read": READS,
} as const;

export interface ServedCall {
  readonly tool: string;
  readonly args: unknown;
  readonly result: ToolResult | TaskResult;
  readonly startMs: number;
}

export interface Served {
  readonly ecosystem: string;
  readonly grant: Grant;
  /** The tools of the groups that were asked for. */
  readonly tools: readonly Tool[];
  readonly edge: AskEdge;
  /** Called with each call of a tool and its result, when it has ended. */
  readonly onCall?: (call: ServedCall) => void;
  /** Of a request for a stream of changes. */
  readonly listening?: Listening | undefined;
}

type Library = typeof import("@modelcontextprotocol/server");

let loaded: Library | undefined;

/**
 * The library of the protocol. A third of a second of the CPU is what loading it takes, so no isolate does that before the
 * first request for MCP. What is kept is the library and never a promise of it: one request must not wait for another.
 */
export async function loadLibrary(): Promise<Library> {
  loaded ??= await import("@modelcontextprotocol/server");
  return loaded;
}

/** Answers one request of the protocol, of its present revision or of an earlier one. Nothing is kept between requests. */
export async function serve(request: Request, body: unknown, served: Served): Promise<Response> {
  const library = await loadLibrary();
  const { listening, ecosystem } = served;
  const handler = library.createMcpHandler(({ era }) => serverOf(library, served, era), {
    legacy: "stateless",
    ...(listening === undefined ? {} : { bus: listening }),
    onerror: (error) => {
      // Requests that break the protocol are answered, and are no trouble of the edge's.
      if (
        !(error instanceof library.ProtocolError) &&
        !/^(Rejected inbound|Unsupported Media Type)/.test(error.message)
      )
        logLine("error", "mcp-failed", { ecosystem, error });
    },
  });
  listening?.onEnd(() => void handler.close());
  const answer = await handler.fetch(request, { parsedBody: body });
  if (listening?.taken === false) listening.close();
  return answer;
}

function serverOf(library: Library, served: Served, era: "legacy" | "modern"): Server {
  const { ecosystem, grant, tools, edge } = served;
  const { ProtocolError, ProtocolErrorCode } = library;
  const invalid = (text: string) => new ProtocolError(ProtocolErrorCode.InvalidParams, text);
  const reads = authorise(grant, RESOURCE_SCOPE, ecosystem, Date.now()) === "allowed";
  // Earlier revisions subscribe within a session, and there is none.
  const resources = reads ? { resources: era === "modern" ? { subscribe: true } : {} } : {};
  const server = new library.Server(
    { name: "ganglion", title: "Ganglion", version: VERSION },
    {
      capabilities: { tools: {}, prompts: {}, ...resources, ...(era === "modern" && { extensions: { [TASKS]: {} } }) },
      instructions: INSTRUCTIONS,
      cacheHints: CACHE_HINTS,
    },
  );
  server.setRequestHandler("tools/list", () => {
    const nowMs = Date.now();
    return { tools: tools.filter((tool) => mayUse(tool, grant, ecosystem, nowMs)).map(({ entry }) => entry()) };
  });
  server.setRequestHandler("tools/call", async ({ params }, context) => {
    const tool = tools.find(({ name }) => name === params.name);
    if (tool === undefined) throw invalid(unknownTool(params.name));
    // Where a scope is missing the call inside says so, in words that help.
    const options = { mayBeTask: era === "modern" && looksAfterTasks(capabilitiesIn(context)) };
    const startMs = Date.now();
    const result = await tool.call(params.arguments, edge, options).catch((error: unknown) => {
      if (error instanceof ProtocolError) throw error;
      return failed(error);
    });
    served.onCall?.({ tool: tool.name, args: params.arguments, result, startMs });
    return { ...result, content: [...result.content] };
  });
  if (era === "modern") serveTasks(library, server, edge);
  server.setRequestHandler("prompts/list", () => ({ prompts: PROMPTS }));
  server.setRequestHandler("prompts/get", ({ params }) => {
    const text = promptText(params.name, params.arguments);
    if (text === undefined) throw invalid("Unknown prompt, or an argument is missing: see prompts/list.");
    return { messages: [{ role: "user", content: { type: "text", text } }] };
  });
  if (!reads) return server;
  server.setRequestHandler("resources/list", () => ({ resources: RESOURCES }));
  server.setRequestHandler("resources/templates/list", () => ({ resourceTemplates: RESOURCE_TEMPLATES }));
  server.setRequestHandler("resources/read", async ({ params: { uri } }) => {
    const reading = readingOf(uri);
    if (reading === undefined) throw new library.ResourceNotFoundError(uri);
    const { text } = await edge(reading).catch((error: unknown) => {
      if (!(error instanceof EdgeRefusal)) throw error;
      const { problem } = error;
      if (problem.status === 404) throw new library.ResourceNotFoundError(uri, problem.detail);
      throw new ProtocolError(ProtocolErrorCode.InternalError, problem.detail ?? problem.title, problem);
    });
    return { contents: contentsOf(uri, text) };
  });
  return server;
}

const TaskParams = z.looseObject({ taskId: z.string().max(512) });

/** The calls by which a client looks after the tasks that questions to agents became. */
function serveTasks(library: Library, server: Server, edge: AskEdge): void {
  const { ProtocolError, ProtocolErrorCode, MissingRequiredClientCapabilityError } = library;
  const ask = async (context: ServerContext, taskId: string, call: EdgeCall | undefined) => {
    if (!looksAfterTasks(capabilitiesIn(context)))
      throw new MissingRequiredClientCapabilityError({ requiredCapabilities: { extensions: { [TASKS]: {} } } });
    const unknown = (detail: string, data?: object) => new ProtocolError(ProtocolErrorCode.InvalidParams, detail, data);
    if (call === undefined) throw unknown(`No task has the id "${taskId.slice(0, 128)}".`);
    return edge(call).catch((error: unknown) => {
      if (!(error instanceof EdgeRefusal)) throw error;
      throw unknown(error.problem.detail ?? error.problem.title, error.problem);
    });
  };
  server.setRequestHandler("tasks/get", { params: TaskParams }, async ({ taskId }, context) => ({
    ...detailedTask(taskId, (await ask(context, taskId, readingTask(taskId))).content),
  }));
  server.setRequestHandler("tasks/cancel", { params: TaskParams }, async ({ taskId }, context) => {
    await ask(context, taskId, cancellingTask(taskId));
    return {};
  });
  // No tool asks its client for anything in the midst of a task, so there is nothing to answer.
  server.setRequestHandler("tasks/update", { params: TaskParams }, async ({ taskId }, context) => {
    await ask(context, taskId, readingTask(taskId));
    return {};
  });
}

const CLIENT_CAPABILITIES = "io.modelcontextprotocol/clientCapabilities";
const capabilitiesIn = ({ mcpReq }: ServerContext): unknown =>
  (mcpReq.envelope as Readonly<Record<string, unknown>> | undefined)?.[CLIENT_CAPABILITIES];

function unknownTool(name: string): string {
  const group = groupOf(name);
  const where =
    group === undefined ? "List the tools: tools/list." : `Connect with ?tools=default,${group} to use the tool.`;
  return `Unknown tool: ${name.slice(0, 128)}. ${where}`;
}

/** What nobody has foreseen is logged, and its caller learns that it failed, and nothing else. */
async function failed(error: unknown): Promise<ToolResult> {
  return refusedResult(Problem.parse(await answerError(error).json()));
}
