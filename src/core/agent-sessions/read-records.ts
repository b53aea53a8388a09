import { CLAUDE_CODE, claudeCodeEvent, claudeCodeSpan } from "./claude-code.ts";
import { CODEX, codexEvent } from "./codex.ts";
import { genAiSession, genAiSpan, isGenAi } from "./gen-ai.ts";
import { type Attributes, textOf } from "./otlp/attributes.ts";
import {
  type ExportKind,
  type ReadExport,
  type ReadLog,
  type ReadSpan,
  readLogs,
  readMetrics,
  readTraces,
} from "./otlp/export.ts";
import { usageRecords } from "./read-points.ts";
import { type ContentSetting, MAX_NAME, type Origin, type Reading, type SessionRecord, STREAMING } from "./record.ts";
import { plainName, programOf, setAround } from "./resource.ts";

/** What of an export is no session's. */
export interface Unknown {
  /** Names of the programs that sent it. */
  readonly agents: ReadonlySet<string>;
  readonly names: ReadonlySet<string>;
  readonly records: number;
}

/** An export, read: what it says of sessions, what is not known, and what could not be read. */
export interface ReadRecords {
  readonly records: readonly SessionRecord[];
  readonly unknown: Unknown;
  readonly rejected: number;
  readonly reasons: readonly string[];
}

/** Names that are kept of what is not known. */
const MAX_UNKNOWN = 20;

/** Reads an export of any kind. @throws NoExport where the document is none */
export function readRecords(kind: ExportKind, document: unknown, content: ContentSetting): ReadRecords {
  const records: SessionRecord[] = [];
  const unknown = new UnknownRecords();
  const read = <Item>(items: ReadExport<Item>, take: (item: Item) => void): ReadRecords => {
    for (const item of items.records) take(item);
    return { records: withLastParts(records), unknown, rejected: items.rejected, reasons: items.reasons };
  };
  switch (kind) {
    case "logs":
      return read(readLogs(document), (log) => {
        const record = recordOfLog(log, content);
        if (record === undefined) unknown.add(programOf(log.resource), log.name === "" ? log.scope : log.name);
        else if (record !== "known") records.push(record);
      });
    case "traces":
      return read(readTraces(document), (span) => {
        const record = recordOfSpan(span);
        if (record === undefined) unknown.add(programOf(span.resource), span.name);
        else if (record !== "known") records.push(record);
      });
    case "metrics": {
      const points = readMetrics(document);
      const of = (name: string, resource: Attributes) => unknown.add(programOf(resource), name);
      for (const record of usageRecords(points.records, of)) records.push(record);
      return read({ ...points, records: [] }, () => undefined);
    }
  }
}

/** Of the parts of answers, the last of each session. */
function withLastParts(records: readonly SessionRecord[]): SessionRecord[] {
  const isPart = ({ signal, facts }: SessionRecord) => signal === "Q_SESSION_ACTIVE" && facts.what === STREAMING;
  const last = new Map(records.filter(isPart).map((record) => [record.session, record]));
  return records.filter((record) => !isPart(record) || last.get(record.session) === record);
}

class UnknownRecords implements Unknown {
  readonly agents = new Set<string>();
  readonly names = new Set<string>();
  records = 0;

  add(agent: string, name: string): void {
    this.records++;
    if (this.agents.size < MAX_UNKNOWN) this.agents.add(agent);
    if (this.names.size < MAX_UNKNOWN) this.names.add(name.slice(0, MAX_NAME));
  }
}

function recordOfLog(log: ReadLog, content: ContentSetting): SessionRecord | "known" | undefined {
  const { name, attributes, resource, scope } = log;
  const isCodex = name.startsWith("codex.");
  const isClaude =
    name.startsWith("claude_code.") || programOf(resource) === CLAUDE_CODE || scope.includes("claude_code");
  if (!isCodex && !isClaude) return undefined;
  const event = name.replace(/^(codex|claude_code)\./, "");
  const session =
    textOf(attributes, isCodex ? "conversation.id" : "session.id", MAX_NAME) ??
    textOf(resource, "session.id", MAX_NAME);
  if (session === undefined) return undefined;
  const reading = isCodex ? codexEvent(event, attributes, content) : claudeCodeEvent(event, attributes, content);
  const version = textOf(attributes, "app.version", MAX_NAME) ?? textOf(resource, "service.version", MAX_NAME);
  return made(reading, { session, agent: isCodex ? CODEX : CLAUDE_CODE, from: "events", version, log });
}

interface Made {
  readonly session: string;
  readonly agent: string;
  readonly from: Origin;
  readonly version: string | undefined;
  readonly log: Omit<ReadLog, "name" | "scope">;
}

function made(reading: Reading, { session, agent, from, version, log }: Made): SessionRecord | "known" | undefined {
  if (reading === undefined || reading === "known") return reading;
  const { resource, attributes, atMs, traceId, spanId, text } = log;
  return {
    ...reading,
    facts: { ...reading.facts, version },
    session,
    agent,
    from,
    ...setAround(resource, attributes),
    atMs,
    traceId,
    spanId,
    identity: `${from} ${session} ${text}`,
  };
}

function recordOfSpan(span: ReadSpan): SessionRecord | "known" | undefined {
  const { name, resource, attributes, traceId, spanId, startMs, endMs, failed } = span;
  const isClaude = name.startsWith("claude_code.");
  if (!isClaude && !isGenAi(span)) return undefined;
  const durationMs = startMs === undefined || endMs === undefined ? undefined : Math.max(0, endMs - startMs);
  const reading = isClaude ? claudeCodeSpan(name, attributes, failed, durationMs) : genAiSpan(span);
  const session = isClaude ? (textOf(attributes, "session.id", MAX_NAME) ?? traceId) : genAiSession(span);
  const agent = isClaude ? CLAUDE_CODE : (textOf(attributes, "gen_ai.agent.name", MAX_NAME) ?? programOf(resource));
  const version = textOf(resource, "service.version", MAX_NAME);
  const log = { resource, attributes, atMs: endMs, traceId, spanId, text: `${traceId} ${spanId}` };
  return made(reading, { session, agent: plainName(agent), from: "spans", version, log });
}
