import { OWN_HEADER } from "../../core/access/own-page.ts";
import { EdgeUnreachable, problemFrom } from "./problem-errors.ts";

/** A token; `null`: the session of the browser, whose cookie the browser adds. */
export type Credential = string | null;

export interface Connection {
  /** Where the edge is, such as `http://127.0.0.1:8787`. */
  readonly url: string;
  readonly token: Credential;
  readonly fetch: Fetch;
}

/** `fetch`, as far as calls need it. */
export type Fetch = (
  url: URL,
  how: {
    readonly method: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly signal: AbortSignal;
    readonly body?: string;
  },
) => Promise<Pick<Response, "ok" | "status" | "text"> & { readonly headers: Pick<Headers, "get"> }>;

export interface Call {
  readonly method?: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** From the root, its parts encoded. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | readonly string[] | undefined>>;
  readonly body?: unknown;
  /** Further headers, such as conditions. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Instead of `body`: lines, each a JSON document. */
  readonly ndjson?: string;
  readonly signal?: AbortSignal | undefined;
  /** Longest wait for the answer, in milliseconds; default 30,000. */
  readonly timeoutMs?: number | undefined;
}

/** Longest wait for an answer, in milliseconds. */
const TIMEOUT_MS = 30_000;

/**
 * One call, one answer.
 *
 * @returns the document of the answer as it came; `undefined`: the answer is empty, or what the caller has (304)
 * @throws ApiProblem for a refusal, EdgeUnreachable when no edge answers, the reason of `signal` when it is aborted
 */
export async function exchange(connection: Connection, call: Call): Promise<unknown> {
  const { response, text } = await send(connection, call);
  if (!response.ok && response.status !== 304)
    throw problemFrom(response.status, text, response.headers.get("retry-after"), call.path);
  return documentIn(connection, text);
}

/** @returns the document that an answer holds; `undefined`: the answer is empty */
function documentIn(connection: Connection, text: string): unknown {
  if (text === "") return undefined;
  try {
    return JSON.parse(text);
  } catch {
    throw new Error(`the server at ${new URL(connection.url).origin} is not Ganglion: its answer is not JSON`);
  }
}

async function send(connection: Connection, call: Call) {
  const { method = "GET", path, query, body, headers, ndjson, signal, timeoutMs } = call;
  const timeout = AbortSignal.timeout(timeoutMs ?? TIMEOUT_MS);
  try {
    const response = await connection.fetch(urlOf(connection.url, path, query), {
      method,
      headers: {
        ...headers,
        ...authorisation(connection.token),
        ...(body === undefined ? {} : { "Content-Type": "application/json" }),
        ...(ndjson === undefined ? {} : { "Content-Type": "application/x-ndjson" }),
      },
      signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(ndjson === undefined ? {} : { body: ndjson }),
    });
    return { response, text: await response.text() };
  } catch (error) {
    if (signal?.aborted === true) throw signal.reason;
    throw new EdgeUnreachable(connection.url, error);
  }
}

/** With a session the edge wants a header that no page of another origin can add. */
export const authorisation = (token: Credential): Record<string, string> =>
  token === null ? { [OWN_HEADER]: "1" } : { Authorization: `Bearer ${token}` };

export function urlOf(base: string, path: string, query: Call["query"] = {}): URL {
  const url = new URL(base);
  url.pathname = url.pathname.replace(/\/$/, "") + path;
  for (const [name, value] of Object.entries(query)) {
    for (const one of value === undefined ? [] : [value].flat()) url.searchParams.append(name, String(one));
  }
  return url;
}
