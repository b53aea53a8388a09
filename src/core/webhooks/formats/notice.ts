import { isJsonObject } from "../../json/is-json-object.ts";
import { knownSignal } from "../../signals/known-signals.ts";
import type { Signal } from "../../signals/signal.ts";
import { isSignal } from "../../signals/signal-line.ts";
import { TEST_TYPE } from "../delivery.ts";
import { matterOf, type Severity, type State } from "./matter.ts";
import type { WebhookContent } from "./message.ts";
import { cut } from "./text.ts";

/** A message as people read it. */
export interface Notice {
  readonly title: string;
  readonly text: string;
  readonly severity: Severity;
  /** `event`: something that happened, and neither stands nor ends. */
  readonly state: State;
  /** The same for what raises a matter and what resolves it. */
  readonly key: string;
  /** The page of the dashboard that shows how it came to this; `undefined`: not known. */
  readonly link: string | undefined;
  readonly source: string;
  /** RFC 3339. */
  readonly time: string;
  /** The values that the text may leave out, by name. */
  readonly details: readonly (readonly [string, string])[];
}

const MAX_DETAILS = 10;
const DETAIL_CHARS = 200;

/** Reads a message for people, who want to know what happened and how bad it is before anything else. */
export function noticeOf(content: WebhookContent): Notice {
  const { data, type, ecosystem, endpoint } = content;
  if (type === TEST_TYPE) {
    const text = `This is a test of the endpoint ${endpoint} of the ecosystem ${ecosystem}.`;
    return { ...base(content), title: "Test message of Ganglion", text, details: [] };
  }
  if (isSignal(data)) return ofSignal(data, content);
  const fields = isJsonObject(data) ? data : { value: data };
  const { title, state, key, severity, text, link } = wordsOf(fields);
  return {
    ...base(content),
    title: title ?? `Rule ${content.rule ?? "?"} fired`,
    text: text ?? "",
    severity: severity ?? "info",
    state: state ?? "event",
    key: key ?? content.id,
    link: link ?? chainLink(content, content.cause),
    details: detailsOf(fields),
  };
}

function base(content: WebhookContent): Notice {
  const { ecosystem, rule, timestamp, id, cause } = content;
  return {
    title: "",
    text: "",
    severity: "info",
    state: "event",
    key: id,
    link: chainLink(content, cause),
    source: rule === undefined ? `ganglion/${ecosystem}` : `ganglion/${ecosystem}/${rule}`,
    time: timestamp,
    details: [],
  };
}

function ofSignal(signal: Signal, content: WebhookContent): Notice {
  const { facts } = signal;
  const words = wordsOf(facts);
  const matter = matterOf(signal);
  const isError = knownSignal(signal.signal)?.kind === "error";
  return {
    ...base(content),
    title: words.title ?? matter?.title ?? signal.signal,
    text: words.text ?? matter?.text ?? "",
    severity: words.severity ?? matter?.severity ?? (isError ? "error" : "info"),
    state: matter?.state ?? words.state ?? "event",
    key: words.key ?? (matter?.key === undefined ? content.id : `ganglion/${signal.ecosystem}/${matter.key}`),
    link: words.link ?? chainLink(content, signal.id),
    source: signal.source,
    time: signal.timestamp,
    details: detailsOf(facts),
  };
}

/** Facts, or fields of a rule's `body`, whose names say that they are for people. */
function wordsOf(fields: Readonly<Record<string, unknown>>) {
  const text = (...names: string[]): string | undefined => {
    for (const name of names) {
      const value = fields[name];
      if (typeof value === "string" && value.trim() !== "") return value;
    }
    return undefined;
  };
  const link = text("link", "url");
  return {
    title: text("title"),
    text: text("text", "message", "summary", "reason", "error", "gap_reason"),
    severity: severityOf(text("severity", "level")),
    state: stateOf(text("state", "status")),
    key: text("dedup_key"),
    link: link !== undefined && /^https?:\/\//i.test(link) && URL.canParse(link) ? link : undefined,
  };
}

const SEVERITY_NAMES: readonly (readonly [Severity, RegExp])[] = [
  ["critical", /^(critical|crit|fatal|emergency|alert)$/i],
  ["error", /^(error|err|high|failure|failed)$/i],
  ["warning", /^(warning|warn|medium)$/i],
  ["info", /^(info|notice|low|debug|ok)$/i],
];

const severityOf = (name: string | undefined): Severity | undefined =>
  name === undefined ? undefined : SEVERITY_NAMES.find(([, names]) => names.test(name))?.[0];

function stateOf(name: string | undefined): State | undefined {
  if (name === undefined) return undefined;
  if (/^(resolved|ok|closed|cleared|recovered)$/i.test(name)) return "resolved";
  return /^(raised|firing|triggered|open|alerting)$/i.test(name) ? "raised" : undefined;
}

const NOT_DETAILS: ReadonlySet<string> = new Set([
  "title",
  "text",
  "message",
  "summary",
  "link",
  "url",
  "dedup_key",
  "_ce",
]);

function detailsOf(fields: Readonly<Record<string, unknown>>): [string, string][] {
  return Object.entries(fields)
    .filter(([name, value]) => name.trim() !== "" && !NOT_DETAILS.has(name) && isDetail(value))
    .slice(0, MAX_DETAILS)
    .map(([name, value]) => [cut(name, 80), cut(String(value), DETAIL_CHARS)]);
}

const isDetail = (value: unknown): boolean =>
  typeof value === "number" || typeof value === "boolean" || (typeof value === "string" && value.trim() !== "");

function chainLink({ edge, ecosystem }: WebhookContent, signal: string | undefined): string | undefined {
  if (edge === undefined || signal === undefined) return undefined;
  return `${edge}/app/${encodeURIComponent(ecosystem)}/chain/${encodeURIComponent(signal)}`;
}
