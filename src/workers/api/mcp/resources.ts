import type { Scope } from "../../../core/access/scopes.ts";
import { ATTENTION_CHANGED, CHANGING_SIGNALS } from "../../../core/attention/ecosystem-state.ts";
import { type EdgeCall, path } from "./edge-calls.ts";

/** Every resource is a call of this scope. */
export const RESOURCE_SCOPE: Scope = "signals:read";

const MIME_TYPE = "application/json";

interface NamedResource {
  readonly uri: string;
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly call: EdgeCall;
  /** Signals after which it may read otherwise. */
  readonly signals: readonly string[];
}

const NAMED: readonly NamedResource[] = [
  {
    uri: "ganglion://attention",
    name: "attention",
    title: "What needs somebody",
    description: "What needs somebody now, most urgent first",
    call: { method: "GET", path: "/attention" },
    signals: [...CHANGING_SIGNALS, ATTENTION_CHANGED],
  },
  {
    uri: "ganglion://gaps",
    name: "gaps",
    title: "Open gaps",
    description: "Capabilities that the fleet lacks now, with their evidence",
    call: { method: "GET", path: "/gaps" },
    signals: ["CAPABILITY_GAP", "CAPABILITY_GAP_RESOLVED"],
  },
];

const SIGNAL = "ganglion://signals/";

/** As lists of resources show them. */
export const RESOURCES = NAMED.map(({ uri, name, title, description }) => ({
  uri,
  name,
  title,
  description,
  mimeType: MIME_TYPE,
}));

export const RESOURCE_TEMPLATES = [
  {
    uriTemplate: `${SIGNAL}{id}`,
    name: "signal",
    title: "A signal",
    description:
      "A signal of the log by its id. A subscription tells when it comes, and when another names it as its cause",
    mimeType: MIME_TYPE,
  },
];

/** The call that reads a resource; `undefined`: there is no such resource. */
export function readingOf(uri: string): EdgeCall | undefined {
  const id = signalIn(uri);
  if (id !== undefined) return { method: "GET", path: path`/signals/${id}` };
  return NAMED.find((resource) => resource.uri === uri)?.call;
}

/** @param text - what the call of {@link readingOf} answered */
export const contentsOf = (uri: string, text: string) => [{ uri, mimeType: MIME_TYPE, text }];

/** The id of the signal that a URI names. */
function signalIn(uri: string): string | undefined {
  if (!uri.startsWith(SIGNAL)) return undefined;
  try {
    const id = decodeURIComponent(uri.slice(SIGNAL.length));
    return id === "" ? undefined : id;
  } catch {
    // It is no URI.
    return undefined;
  }
}

/** Which signals a subscriber of these resources has to be sent. */
export function patternsFor(uris: readonly string[]): string[] {
  const named = NAMED.filter(({ uri }) => uris.includes(uri)).flatMap(({ signals }) => signals);
  return [...new Set(uris.some((uri) => signalIn(uri) !== undefined) ? ["*", ...named] : named)];
}

/**
 * Which of the resources may read otherwise after these signals of the log's stream. Where there are none the log says that
 * what needs somebody has changed.
 */
export function changedBy(uris: readonly string[], signals: readonly Record<string, unknown>[]): string[] {
  const names = new Set(signals.length === 0 ? [ATTENTION_CHANGED] : signals.map(({ signal }) => signal));
  const ids = new Set(signals.flatMap(({ id, cause }) => [id, cause]));
  return uris.filter((uri) => {
    const id = signalIn(uri);
    if (id !== undefined) return ids.has(id);
    return NAMED.some((resource) => resource.uri === uri && resource.signals.some((name) => names.has(name)));
  });
}
