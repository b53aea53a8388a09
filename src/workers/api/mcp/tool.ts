import * as z from "zod";
import { authorise, type Grant } from "../../../core/access/grant.ts";
import type { Scope } from "../../../core/access/scopes.ts";
import { fieldErrors } from "../../../core/problem/field-errors.ts";
import { type Problem, problem } from "../../../core/problem/problem.ts";
import { type AskEdge, type EdgeAnswer, EdgeRefusal } from "./edge-calls.ts";

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
  readonly run: (args: z.output<Args>, edge: AskEdge) => Promise<ToolContent>;
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

/** A result as the protocol has it, but for its frame. */
export interface ToolResult {
  readonly content: { readonly type: "text"; readonly text: string }[];
  readonly structuredContent?: Record<string, unknown>;
  readonly isError?: true;
}

export interface Tool {
  readonly name: string;
  readonly operations: readonly string[];
  readonly scopes: readonly Scope[];
  /** Made at the first look, and kept. */
  readonly entry: () => ToolEntry;
  /** Refusals are results, too: whoever called can read what is wrong, and do better. */
  readonly call: (args: unknown, edge: AskEdge) => Promise<ToolResult>;
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
    call: async (given, edge) => {
      const parsed = args.safeParse(given ?? {});
      if (!parsed.success) return refused(invalidArguments(name, fieldErrors(parsed.error.issues, "", args)));
      try {
        const { content, text } = await run(parsed.data, edge);
        return { content: [{ type: "text", text: text ?? JSON.stringify(content) }], structuredContent: content };
      } catch (error) {
        if (error instanceof EdgeRefusal) return refused(error.problem);
        throw error;
      }
    },
  };
}

/** Whether a token has what the tool needs. */
export const mayUse = ({ scopes }: Tool, grant: Grant, ecosystem: string, nowMs: number): boolean =>
  scopes.every((scope) => authorise(grant, scope, ecosystem, nowMs) === "allowed");

function refused(found: Problem): ToolResult {
  return { content: [{ type: "text", text: JSON.stringify(found) }], isError: true };
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
