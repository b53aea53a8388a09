import { ADMIN, call, post } from "../api/calls.ts";

const ORIGIN = "https://edge.test";
/** What a page of the dashboard sends with each call. */
export const FROM_PAGE = { "Sec-Fetch-Site": "same-origin", Origin: ORIGIN, "Ganglion-Session": "1" } as const;

export interface BegunSession {
  readonly id: string;
  /** The header `Cookie`. */
  readonly cookie: string;
  /** The whole header `Set-Cookie`. */
  readonly set: string;
}

/** A code for a session of a token. */
export async function makeCode(act: boolean, token: string = ADMIN): Promise<string> {
  const answer = await post("/v1/sessions", { act }, { token });
  if (answer.status !== 201) throw new Error(await answer.text());
  return (await answer.json<{ code: string }>()).code;
}

/** Begins a session as the sign-in page does. */
export async function beginSession(act: boolean, token: string = ADMIN): Promise<BegunSession> {
  const answer = await exchange({ code: await makeCode(act, token) });
  if (answer.status !== 201) throw new Error(await answer.text());
  const { session } = await answer.json<{ session: { id: string } }>();
  const set = answer.headers.get("set-cookie") ?? "";
  return { id: session.id, cookie: set.split(";")[0] ?? "", set };
}

export const exchange = (start: object, headers: HeadersInit = FROM_PAGE) =>
  post("/v1/sessions/current", start, { token: null, headers: Object.fromEntries(new Headers(headers)) });

/** A call as a page of the dashboard makes it. */
export const inSession = (
  { cookie }: Pick<BegunSession, "cookie">,
  path: string,
  { method = "GET", body, headers = {} }: { method?: string; body?: unknown; headers?: Record<string, string> } = {},
) =>
  call(path, {
    method,
    token: null,
    headers: {
      ...FROM_PAGE,
      Cookie: cookie,
      ...(body === undefined ? {} : { "Content-Type": "application/json" }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
