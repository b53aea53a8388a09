import type { Client } from "../src/client/client.ts";
import { ApiProblem } from "../src/client/http/problem-errors.ts";
import { nearest } from "../src/core/problem/nearest.ts";

interface Kind {
  readonly what: string;
  /** Command that lists what there is. */
  readonly list: string;
  readonly names: (client: Client) => Promise<readonly string[]>;
}

const ids = async <Item extends { readonly id: string }>(items: Promise<readonly Item[]>) =>
  (await items).map(({ id }) => id);
const named = async <Item extends { readonly name: string }>(items: Promise<readonly Item[]>) =>
  (await items).map(({ name }) => name);

/** What the first part of a path inside of an ecosystem names, and who knows the names that there are. */
const KINDS: Readonly<Record<string, Kind>> = {
  queues: { what: "queue", list: "ganglion queues", names: ({ queues }) => named(queues.list()) },
  agents: {
    what: "host",
    list: "ganglion hosts",
    names: async ({ agents }) => (await agents.list()).map(({ host }) => host),
  },
  policies: { what: "rule", list: "ganglion policy list", names: ({ policy }) => ids(policy.list()) },
  webhooks: { what: "webhook endpoint", list: "ganglion webhooks list", names: ({ webhooks }) => ids(webhooks.list()) },
  scanners: { what: "scanner", list: "ganglion scanners", names: (client) => ids(client.scanners()) },
  inbox: { what: "inbox source", list: "ganglion inbox list", names: ({ inbox }) => named(inbox.list()) },
  bridges: { what: "bridge", list: "ganglion bridges list", names: ({ bridges }) => named(bridges.list()) },
  workers: {
    what: "worker of file tasks",
    list: "ganglion file-tasks",
    names: async (client) => (await client.fileWorkers()).map(({ worker }) => worker),
  },
  "dead-letters": { what: "dead letter", list: "ganglion dlq list", names: async () => [] },
  tokens: { what: "token", list: "ganglion tokens list", names: ({ tokens }) => ids(tokens.list()) },
  sessions: { what: "session", list: "ganglion sessions list", names: ({ sessions }) => ids(sessions.list()) },
};

/**
 * Which name of a refused call the edge does not know, and which one was probably meant: a bare "not found" says neither.
 *
 * @returns `undefined` where the refusal is about something else
 */
export async function explainMissing(error: unknown, client: Client | undefined): Promise<string | undefined> {
  if (!(error instanceof ApiProblem) || error.problem.status !== 404 || error.path === undefined) return undefined;
  const parts = error.path.split("/").slice(2).map(decodeURIComponent);
  const [first = "", ...rest] = Object.hasOwn(KINDS, parts[0] ?? "") ? parts : parts.slice(1);
  const kind = Object.hasOwn(KINDS, first) ? KINDS[first] : undefined;
  const [name, part, inner] = rest;
  if (kind === undefined || name === undefined || client === undefined) return undefined;
  const names = await namesOf(kind, client);
  const isKnown = names?.includes(name) === true;
  if (isKnown && first === "queues" && part === "tasks" && inner !== undefined) {
    return `No task "${inner}" in the queue ${name}: it never was, or it ended too long ago to be kept. List them: \`ganglion tasks list --queue ${name}\`, \`ganglion tasks finished --queue ${name}\``;
  }
  if (isKnown) return undefined;
  const near = nearest(name, names ?? []);
  return `No ${kind.what} "${name}".${near === undefined ? "" : ` Did you mean ${near}?`} List them: \`${kind.list}\``;
}

/** The token may lack the right to list them: the name is unknown all the same. */
async function namesOf({ names }: Kind, client: Client): Promise<readonly string[] | undefined> {
  try {
    return await names(client);
  } catch (error) {
    if (error instanceof ApiProblem) return undefined;
    throw error;
  }
}
