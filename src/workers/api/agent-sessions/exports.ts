import { createRoute } from "@hono/zod-openapi";
import type { Context } from "hono";
import { type ExportKind, exportAnswer, NoExport } from "../../../core/agent-sessions/otlp/export.ts";
import { readProtobuf, writeAnswer } from "../../../core/agent-sessions/otlp/protobuf.ts";
import { readRecords } from "../../../core/agent-sessions/read-records.ts";
import { signalsOf, unknownSignal } from "../../../core/agent-sessions/to-signals.ts";
import { JSON_LIMITS } from "../../../core/json/limits.ts";
import { readFaultyJson } from "../../../core/json/read-json.ts";
import type { ApiEnv } from "../http/api-env.ts";
import { decode, malformed, readBytes } from "../http/body.ts";
import { EcosystemPath } from "../http/query.ts";
import { invalid } from "../http/refusal.ts";
import { json, jsonText, newApi, problems, secured } from "../http/route.ts";
import { contentOf } from "./content.ts";
import { PartialSuccessSchema } from "./schemas.ts";
import { admitAll, append, makingFor } from "./take-signals.ts";

/** Largest export, in bytes: an SDK sends 512 records at a time, mostly of less than a kilobyte. */
const MAX_BYTES = 4 * 1024 * 1024;
const JSON_TYPE = "application/json";
const PROTOBUF_TYPE = "application/x-protobuf";
/** Reasons that one answer gives. */
const MAX_REASONS = 4;
const WHAT = { logs: "Logs", metrics: "Metrics", traces: "Traces" } as const;

const exportRoute = <Kind extends ExportKind>(kind: Kind) =>
  createRoute({
    method: "post",
    path: `/v1/{eco}/otlp/v1/${kind}` as const,
    operationId: `take${WHAT[kind]}` as const,
    summary: `Take in ${kind} of agents, by OTLP over HTTP`,
    description:
      "Sessions of Claude Code, of Codex and of programs that follow the conventions of OpenTelemetry for generative AI become " +
      "signals; what else is in the export is counted in one observation. Prompts and contents are not stored, unless the " +
      "deployment says so (`SESSION_CONTENT`). An export may be repeated: no record counts twice. The answer has the media " +
      "type of the request.",
    tags: ["agents"],
    ...secured("signals:write"),
    request: {
      params: EcosystemPath,
      body: {
        required: true,
        content: {
          [JSON_TYPE]: {
            schema: { type: "object", additionalProperties: true, description: `An export of ${kind}, as OTLP has it` },
          },
          [PROTOBUF_TYPE]: {
            schema: { type: "string", format: "binary", description: "The same as a protocol buffer" },
          },
        },
      },
    },
    responses: {
      200: json(PartialSuccessSchema, "The signals are durable; what was refused is counted"),
      ...problems(400, 413, 415),
    },
  });

async function takeExport(c: Context<ApiEnv>, eco: string, kind: ExportKind) {
  const grant = c.get("grant");
  const { bytes, type } = await readBytes(c.req.raw, [JSON_TYPE, PROTOBUF_TYPE], MAX_BYTES);
  const { document, records, unknown, rejected, reasons } = ofValid(() => {
    const exported = type === JSON_TYPE ? parse(decode(bytes)) : readProtobuf(kind, bytes);
    return { document: exported, ...readRecords(kind, exported, contentOf(c.env)) };
  });
  const making = makingFor(grant, Date.now());
  const inputs = await signalsOf(records, making);
  if (unknown.records > 0) inputs.push(await unknownSignal(unknown, JSON.stringify(document), making));
  const { signals, refused } = admitAll(inputs, grant);
  await append(c.env, eco, grant, signals);
  const why = new Set([...reasons, ...refused.map(({ pointer, message }) => `${pointer}: ${message}`)]);
  return answer(kind, type, rejected + refused.length, [...why].slice(0, MAX_REASONS).join("; "));
}

function answer(kind: ExportKind, type: string, rejected: number, errorMessage: string) {
  const text = jsonText<Record<string, never>>(JSON.stringify(exportAnswer(kind, rejected, errorMessage)));
  if (type === JSON_TYPE) return text;
  const response: unknown = new Response(writeAnswer(rejected, errorMessage), { headers: { "Content-Type": type } });
  return response as typeof text;
}

function parse(text: string): unknown {
  // Numbers of 64 bits come as numbers, too; what is nested too deeply hides no neighbour.
  const reading = readFaultyJson(text, JSON_LIMITS);
  if (!reading.ok) throw malformed(reading.malformed);
  return reading.value;
}

function ofValid<Result>(read: () => Result): Result {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof NoExport)) throw error;
    throw invalid("invalid-export", "The export is not valid", [{ pointer: error.pointer, message: error.message }]);
  }
}

export const telemetryExports = newApi()
  .openapi(exportRoute("logs"), (c) => takeExport(c, c.req.valid("param").eco, "logs"))
  .openapi(exportRoute("metrics"), (c) => takeExport(c, c.req.valid("param").eco, "metrics"))
  .openapi(exportRoute("traces"), (c) => takeExport(c, c.req.valid("param").eco, "traces"));
