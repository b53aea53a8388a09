import * as z from "zod";
import { SIGNAL_NAME } from "../signals/signal.ts";
import { PAYLOADS, PRESETS } from "./span.ts";

export const DEFAULT_INTERVAL_MS = 60_000;
const LANGFUSE_CLOUD = "https://cloud.langfuse.com";
const MAX_HEADERS = 16;

/** Headers that a request has anyway, or that would change how it is read. */
const OWN_HEADERS: ReadonlySet<string> = new Set([
  "connection",
  "content-encoding",
  "content-length",
  "content-type",
  "expect",
  "host",
  "keep-alive",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

const Headers = z
  .record(
    z
      .string()
      .regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}$/, { message: "a name of a header holds letters, digits and -" })
      .refine((name) => !OWN_HEADERS.has(name.toLowerCase()), { message: "this header is the request's own" }),
    z.string().regex(/^[\x20-\x7e]{0,4096}$/, { message: "a header holds printable ASCII characters (4096 at most)" }),
  )
  .refine((headers) => Object.keys(headers).length <= MAX_HEADERS, { message: `${MAX_HEADERS} headers at most` })
  .refine(
    (headers) => new Set(Object.keys(headers).map((name) => name.toLowerCase())).size === Object.keys(headers).length,
    {
      message: "two headers have the same name",
    },
  );
const Key = z.string().regex(/^[\x21-\x39\x3b-\x7e]{1,512}$/, {
  message: "a key is one word of printable ASCII characters without a colon (512 at most)",
});
const Pattern = z.string().refine((name) => SIGNAL_NAME.test(name.replaceAll("*", "x")), {
  message: "give the name of a signal, in which * stands for any characters",
});

/** Where finished work is exported to, as an administrator sets it. Where the URL may lead is checked by `urlProblem`. */
export const NewExport = z
  .strictObject({
    endpoint: z.string().min(1).max(2_048).optional(),
    /** Secret. Left out: those that are stored stay with their URL. */
    headers: Headers.optional(),
    payload: z.enum(PAYLOADS).default("none"),
    preset: z.enum(PRESETS).nullable().default(null),
    public_key: Key.optional(),
    secret_key: Key.optional(),
    interval_ms: z.int().min(1_000).max(3_600_000).default(DEFAULT_INTERVAL_MS),
    /** Further signals by which reactions tell their end. */
    reactions: z.array(Pattern).max(32).default([]),
  })
  .refine(({ endpoint, preset }) => endpoint !== undefined || preset === "langfuse", {
    path: ["endpoint"],
    message: "give the URL of an OTLP receiver, such as https://otel.example.org",
  })
  .refine(({ public_key, secret_key }) => (public_key === undefined) === (secret_key === undefined), {
    path: ["secret_key"],
    message: "give both keys, or none",
  })
  .refine(({ public_key, preset }) => public_key === undefined || preset === "langfuse", {
    path: ["public_key"],
    message: 'keys belong to the preset "langfuse": give headers, such as {"Authorization": "Bearer …"}',
  });
export type NewExport = z.output<typeof NewExport>;

/** The settings as they are stored, with what is secret. They never leave the object that exports. */
export const ExportSettings = z.object({
  /** Where requests go: the whole URL. */
  url: z.string(),
  headers: z.record(z.string(), z.string()),
  payload: z.enum(PAYLOADS),
  preset: z.enum(PRESETS).nullable(),
  interval_ms: z.number(),
  reactions: z.array(z.string()).readonly(),
});
export type ExportSettings = Readonly<z.output<typeof ExportSettings>>;

/** The URL that a change means. Not checked: `urlProblem` says whether it is one. */
export const endpointOf = ({ endpoint = LANGFUSE_CLOUD }: Pick<NewExport, "endpoint">): string => endpoint;

/** @param change - whose endpoint was checked */
export function settingsOf(change: NewExport, before: ExportSettings | undefined): ExportSettings {
  const { payload, preset, interval_ms, reactions } = change;
  const url = tracesUrl(endpointOf(change), preset);
  return { url, headers: headersOf(change, url, before), payload, preset, interval_ms, reactions };
}

/**
 * Headers that are not given stay where they were: a caller who may change the settings could otherwise have the keys sent
 * to an address of their own.
 */
function headersOf(
  { headers, public_key, secret_key }: NewExport,
  url: string,
  before: ExportSettings | undefined,
): Record<string, string> {
  if (public_key !== undefined) {
    const authorization = `Basic ${btoa(`${public_key}:${secret_key}`)}`;
    const others = Object.entries(headers ?? {}).filter(([name]) => name.toLowerCase() !== "authorization");
    return { ...Object.fromEntries(others), Authorization: authorization };
  }
  if (headers !== undefined) return headers;
  return before?.url === url ? before.headers : {};
}

/** Where spans go: receivers are named by their base, or by the whole path. */
function tracesUrl(endpoint: string, preset: NewExport["preset"]): string {
  const url = new URL(endpoint);
  const path = url.pathname.replace(/\/+$/, "");
  if (path.endsWith("/v1/traces")) return url.href;
  const base = preset === "langfuse" && !path.endsWith("/api/public/otel") ? `${path}/api/public/otel` : path;
  url.pathname = `${base}/v1/traces`;
  return url.href;
}

/** Headers of a request. */
export function requestHeaders({ headers, preset }: ExportSettings): Record<string, string> {
  return {
    ...headers,
    ...(preset === "langfuse" ? { "x-langfuse-ingestion-version": "4" } : {}),
    "Content-Type": "application/json",
    "User-Agent": "ganglion-export/1",
  };
}

/** What a source of finished work is told: how much of it may leave, and how long it may gather. `null`: nothing leaves. */
export const SourceExport = z.object({ payload: z.enum(PAYLOADS), gather_ms: z.number() });
export type SourceExport = Readonly<z.output<typeof SourceExport>>;

/** Sources gather for this long at most: one call brings what has ended meanwhile. */
const MAX_GATHER_MS = 10_000;

export const sourceExport = ({ payload, interval_ms }: ExportSettings): SourceExport => ({
  payload,
  gather_ms: Math.min(MAX_GATHER_MS, Math.floor(interval_ms / 4)),
});

/** A text that a receiver sent, without what is secret in the settings. */
export function withoutSecrets(text: string, { headers, url }: Pick<ExportSettings, "headers" | "url">): string {
  const words = Object.values(headers).flatMap((value) => [value, ...value.split(/\s+/)]);
  const basic = words.flatMap((word) => [word, ...decoded(word)]);
  const { username, password, search } = new URL(url);
  const secrets = [...basic, username, password, search.slice(1)].filter((word) => word.length >= MIN_SECRET);
  return secrets.sort((a, b) => b.length - a.length).reduce((rest, secret) => rest.replaceAll(secret, "…"), text);
}

/** Shorter words are no secrets, and stand in any text. */
const MIN_SECRET = 6;

/** User and password of an `Authorization: Basic`. */
function decoded(word: string): string[] {
  if (!/^[A-Za-z0-9+/_-]{8,}={0,2}$/.test(word)) return [];
  try {
    const text = atob(word);
    return text.includes(":") ? [text, ...text.split(":")] : [];
  } catch {
    return [];
  }
}
