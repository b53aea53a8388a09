import { exports } from "cloudflare:workers";

export const ADMIN = "the-administrator";

/** The edge, as a caller over HTTP sees it. */
export function call(path: string, init: RequestInit & { token?: string | null } = {}): Promise<Response> {
  const { token = ADMIN, headers, ...rest } = init;
  const all = new Headers(headers);
  if (token !== null) all.set("Authorization", `Bearer ${token}`);
  const worker = (exports as unknown as { default: Fetcher }).default;
  return worker.fetch(new Request(`https://edge.test${path}`, { ...rest, headers: all }));
}

export function post(
  path: string,
  body: unknown,
  init: RequestInit & { token?: string | null } = {},
): Promise<Response> {
  return call(path, {
    method: "POST",
    body: typeof body === "string" ? body : JSON.stringify(body),
    ...init,
    headers: { "Content-Type": "application/json", ...init.headers },
  });
}

export interface ProblemBody {
  type: string;
  title: string;
  status: number;
  detail?: string;
  errors?: { pointer: string; message: string }[];
}

/** Checks that an answer is a problem, and reads it. */
export async function problemOf(response: Response): Promise<ProblemBody> {
  const type = response.headers.get("content-type");
  if (type !== "application/problem+json") throw new Error(`${response.status} is ${type}: ${await response.text()}`);
  const body = (await response.json()) as ProblemBody;
  if (body.status !== response.status) throw new Error(`status ${body.status} in the body of a ${response.status}`);
  if (body.status === 503 && response.headers.get("retry-after") === null) throw new Error("503 without Retry-After");
  return body;
}

/** A name that no other test uses. */
export const freshEcosystem = () => `eco-${crypto.randomUUID()}`;
