import { ADMIN, call } from "../api/calls.ts";

/** Puts a rule over HTTP; in the form in which users write it. */
export async function putRule(eco: string, id: string, rule: object): Promise<Response> {
  return send("PUT", `/v1/${eco}/policies/${id}`, rule);
}

export function send(method: string, path: string, body?: unknown): Promise<Response> {
  return call(path, {
    method,
    token: ADMIN,
    ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { "Content-Type": "application/json" } }),
  });
}

export async function read<Body = Record<string, unknown>>(path: string): Promise<Body> {
  const response = await call(path);
  if (response.status !== 200) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return (await response.json()) as Body;
}

/** A rule that answers a signal with another. */
export const echo = (when: string, emit: string, more: object = {}) => ({
  when,
  then: [{ emit: { signal: emit, facts: { n: "facts.?n.orValue(0)" } } }],
  ...more,
});
