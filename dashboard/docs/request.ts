/** A field of a form: a parameter of the call. */
export interface Field {
  readonly name: string;
  /** `path`, `query` or `header`. */
  readonly in: string;
  readonly value: string;
}

export interface Tried {
  readonly method: string;
  /** With names in braces, such as `/v1/{eco}/signals`. */
  readonly path: string;
  readonly fields: readonly Field[];
  readonly body?: { readonly type: string; readonly text: string } | undefined;
  /** Empty: the session of the browser counts. */
  readonly token: string;
}

export interface Sent {
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** A header that no page of another origin can add: without it the cookie of a session does not count. */
const OWN = { "Ganglion-Session": "1" };

/** What the form of a call sends; a text says what is missing. Fields that are empty are left out. */
export function requestOf({ method, path, fields, body, token }: Tried): Sent | string {
  const given = fields.filter(({ value }) => value !== "");
  const named = (name: string) => given.find((field) => field.in === "path" && field.name === name)?.value;
  const missing = [...path.matchAll(/\{(\w+)\}/g)]
    .map(([, name = ""]) => name)
    .find((name) => named(name) === undefined);
  if (missing !== undefined) return `Give ${missing}: it is a part of the path.`;
  const query = new URLSearchParams(
    given.filter((field) => field.in === "query").map(({ name, value }): [string, string] => [name, value]),
  ).toString();
  const url = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(named(name) ?? ""));
  const headers = Object.fromEntries(
    given.filter((field) => field.in === "header").map(({ name, value }) => [name, value]),
  );
  const by = token === "" ? OWN : { Authorization: `Bearer ${token}` };
  return {
    url: query === "" ? url : `${url}?${query}`,
    method,
    headers: { ...headers, ...by, ...(body === undefined ? {} : { "Content-Type": body.type }) },
    ...(body === undefined ? {} : { body: body.text }),
  };
}

/** Whether a text has each word of a search, in any order and case. */
export function hasWords(text: string, search: string): boolean {
  const lower = text.toLowerCase();
  return search
    .toLowerCase()
    .split(/\s+/)
    .every((word) => lower.includes(word));
}
