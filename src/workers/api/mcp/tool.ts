import * as z from "zod";
import { authorise, type Grant } from "../../../core/access/grant.ts";
import type { Scope } from "../../../core/access/scopes.ts";
import { fieldErrors } from "../../../core/problem/field-errors.ts";
import { type Problem, problem } from "../../../core/problem/problem.ts";
import { type AskEdge, type EdgeAnswer, EdgeRefusal } from "./edge-calls.ts";
import type { ToolTask } from "./tasks.ts";
import { refusedResult, type ToolResult } from "./tool-result.ts";

/**
 * What a client may assume of a tool, so that it knows what to ask its person about. Each is stated, because the defaults
 * of the protocol are the most cautious ones.
 *
 * @see https://modelcontextprotocol.io/specification/2026-07-28/server/tools
 */
export interface Annotations {
  readonly readOnlyHint: boolean;
  readonly destructiveHint: boolean;
  readonly idempotentHint: boolean;
  readonly openWorldHint: boolean;
}

/** Looks only. */
export const READS: Annotations = {
  readOnlyHint: true,
  destructiveHint: false,
  idempotentHint: true,
  openWorldHint: false,
};

/** What a tool answers: the JSON of a call of the API, or JSON of its own. */
export type ToolContent = Pick<EdgeAnswer, "content"> & Partial<Pick<EdgeAnswer, "text">>;

export interface CallOptions {
  /** Whether the client looks after a task, where the call takes long. */
  readonly mayBeTask: boolean;
}

interface ToolParts<Args extends z.ZodObject> {
  /** Words joined by `_`, without dots: clients put the name of the server before it. */
  readonly name: string;
  readonly title: string;
  readonly description: string;
  /** `operationId` of the calls of the API that it makes: the scopes that the tool needs are theirs. */
  readonly operations: readonly string[];
  readonly scopes: readonly Scope[];
  readonly annotations: Annotations;
  /** Names are those of the API's fields and parameters. */
  readonly args: Args;
  readonly answer: z.ZodObject;
  readonly run: (
    args: z.output<Args>,
    edge: AskEdge,
    options: CallOptions,
  ) => Promise<ToolContent | { task: ToolTask }>;
}

type JsonSchema = Record<string, unknown>;

/** A tool as a list of tools shows it. */
export interface ToolEntry {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly inputSchema: JsonSchema & { readonly type: "object" };
  readonly outputSchema: JsonSchema & { readonly type: "object" };
  readonly annotations: Annotations;
}

/** A call that goes on as a task after its answer. */
export interface TaskResult extends ToolTask {
  readonly resultType: "task";
  /** For clients that show what a tool answers. */
  readonly content: ToolResult["content"];
}

export interface Tool {
  readonly name: string;
  readonly operations: readonly string[];
  readonly scopes: readonly Scope[];
  /** Made at the first look, and kept. */
  readonly entry: () => ToolEntry;
  readonly call: (args: unknown, edge: AskEdge, options?: CallOptions) => Promise<ToolResult | TaskResult>;
}

export function defineTool<Args extends z.ZodObject>(parts: ToolParts<Args>): Tool {
  const { name, title, description, operations, scopes, annotations, args, answer, run } = parts;
  let entry: ToolEntry | undefined;
  return {
    name,
    operations,
    scopes,
    entry: () => {
      entry ??= { name, title, description, inputSchema: inputOf(args), outputSchema: outlineOf(answer), annotations };
      return entry;
    },
    call: async (given, edge, options = { mayBeTask: false }) => {
      const parsed = args.safeParse(given ?? {});
      if (!parsed.success) return refusedResult(invalidArguments(name, fieldErrors(parsed.error.issues, "", args)));
      try {
        const ran = await run(parsed.data, edge, options);
        if ("task" in ran) return taskResult(ran.task);
        const { content, text } = ran;
        return { content: [{ type: "text", text: text ?? JSON.stringify(content) }], structuredContent: content };
      } catch (error) {
        if (error instanceof EdgeRefusal) return refusedResult(error.problem);
        throw error;
      }
    },
  };
}

/** Whether a token has what the tool needs. */
export const mayUse = ({ scopes }: Tool, grant: Grant, ecosystem: string, nowMs: number): boolean =>
  scopes.every((scope) => authorise(grant, scope, ecosystem, nowMs) === "allowed");

function taskResult(task: ToolTask): TaskResult {
  const text = `It is under way as the task ${task.taskId}.`;
  return { ...task, resultType: "task", content: [{ type: "text", text }] };
}

function invalidArguments(tool: string, errors: ReturnType<typeof fieldErrors>): Problem {
  const [first] = errors;
  const where = first?.pointer === "" ? "the arguments" : first?.pointer;
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : "";
  const detail = `${where}: ${first?.message}${more}. The input schema of ${tool} names its arguments.`;
  return problem("invalid-arguments", 422, "The arguments are not valid", detail, { errors });
}

function inputOf(schema: z.ZodType): ToolEntry["inputSchema"] {
  const { $schema: _, ...json } = z.toJSONSchema(schema, { io: "input" });
  return { ...json, type: "object" };
}

/**
 * The fields of an answer, with the type and the meaning of each, and no more: lists of tools are read by language models,
 * which pay for each word. The whole shape stands in /openapi.json.
 */
function outlineOf(schema: z.ZodObject): ToolEntry["outputSchema"] {
  const { properties = {}, required = [] } = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" });
  const outline = Object.entries(properties).map(([name, field]) => [name, outlineOfField(field as JsonSchema)]);
  return { type: "object", properties: Object.fromEntries(outline), required };
}

function outlineOfField({ type, anyOf, description }: JsonSchema): JsonSchema {
  const types = Array.isArray(anyOf) ? anyOf.map((one: JsonSchema) => one.type) : undefined;
  const named = type ?? (types?.every((one) => typeof one === "string") === true ? types : undefined);
  return { ...(named === undefined ? {} : { type: named }), ...(description === undefined ? {} : { description }) };
}
