import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Command } from "commander";
import { type Client, createClient } from "../src/client/client.ts";
import { nodeFetch } from "../src/client/http/node-fetch.ts";
import { openSocketSource } from "../src/client/stream/socket-source.ts";
import { ECOSYSTEM_NAME, ECOSYSTEM_RULE } from "../src/core/signals/signal.ts";
import { parseUrl } from "../src/core/wire/parse-url.ts";
import { type Context, contextNamed, readContexts, requirePrivate } from "./contexts.ts";
import { UsageError } from "./failure.ts";
import { fileTrouble } from "./file-trouble.ts";
import { whileWaiting } from "./terminal/progress.ts";

export interface GlobalOptions {
  readonly url?: string;
  readonly tokenFile?: string;
  readonly ecosystem?: string;
  readonly context?: string;
  readonly json?: true;
  readonly wide?: true;
  readonly watch?: true;
  readonly watchEvery?: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Whether a command prints for programs. */
export const wantsJson = (command: Command): boolean => command.optsWithGlobals<GlobalOptions>().json === true;

/** The client for a command, from its options, contexts, the environment and the local edge's token. */
export function clientFor(command: Command, environment: Environment = process.env): Client {
  inUse = createClient({ ...connectionFor(command, environment), openSource: openSocketSource, fetch: waiting });
  return inUse;
}

/** A call of which nothing comes for a second says so. */
const waiting: typeof nodeFetch = (...args) => whileWaiting(nodeFetch(...args));

let inUse: Client | undefined;

/** The client that the command made last, to explain why a call failed. */
export const clientInUse = (): Client | undefined => inUse;

/** Where the edge of a command is, the token for it, and the ecosystem. */
export function connectionFor(command: Command, environment: Environment = process.env) {
  const options = command.optsWithGlobals<GlobalOptions>();
  const context = contextOf(options, environment);
  const ecosystem = options.ecosystem ?? context?.ecosystem ?? set(environment.GANGLION_ECOSYSTEM) ?? "default";
  if (ecosystem !== "default" && !ECOSYSTEM_NAME.test(ecosystem)) {
    throw new UsageError(
      `${JSON.stringify(ecosystem)} is no name of an ecosystem (--ecosystem or GANGLION_ECOSYSTEM): ${ECOSYSTEM_RULE}`,
    );
  }
  return { ...edgeOf(options, context, environment), ecosystem };
}

/**
 * Where the edge is, and the token for it.
 *
 * @param url - in place of the option and the variable
 */
export function edgeFor(command: Command, url?: string, environment: Environment = process.env) {
  const given = command.optsWithGlobals<GlobalOptions>();
  const options = url === undefined ? given : { ...given, url };
  return edgeOf(options, contextOf(options, environment), environment);
}

/** @param context - the one that says where the edge is */
function edgeOf(options: GlobalOptions, context: Context | undefined, environment: Environment) {
  const read = readUrl(context === undefined ? options : { url: context.url }, environment);
  return { url: read.href, token: readToken(options, context, environment, read) };
}

/** The context that says where the edge is, where one does: a context's token and ecosystem belong to its URL. */
function contextOf({ url, context }: GlobalOptions, environment: Environment): Context | undefined {
  if (context !== undefined) {
    if (url !== undefined) throw new UsageError("--url does not go with --context, which names a URL");
    return contextNamed(context, readContexts(environment));
  }
  if (url !== undefined || set(environment.GANGLION_URL) !== undefined) return undefined;
  const contexts = readContexts(environment);
  const name = set(environment.GANGLION_CONTEXT) ?? contexts.current;
  return name === null ? undefined : contextNamed(name, contexts);
}

/** The default source of emitted signals: this host. */
export function defaultSource(environment: Environment = process.env): string {
  return set(environment.GANGLION_HOST_ID) ?? hostname();
}

/** @throws UsageError where the URL cannot be that of an edge */
export function readUrl(options: Pick<GlobalOptions, "url">, environment: Environment): URL {
  const given = options.url ?? set(environment.GANGLION_URL);
  const text = given ?? `http://127.0.0.1:${set(environment.GANGLION_PORT) ?? "8787"}`;
  const url = parseUrl(text);
  if (url === null || !["http:", "https:"].includes(url.protocol)) {
    throw new UsageError(
      `${JSON.stringify(text)} is not the URL of an edge: give one such as ${urlLike(text)} (--url or GANGLION_URL)`,
    );
  }
  if (url.username !== "" || url.password !== "") {
    throw new UsageError(
      "the URL of the edge must not hold a name or password: give the token with GANGLION_TOKEN or --token-file",
    );
  }
  return url;
}

/** An address without its scheme is probably meant with it. */
const urlLike = (text: string) => (/^[\w.-]+(:\d{1,5})?$/.test(text) ? `http://${text}` : "http://127.0.0.1:8787");

function readToken(options: GlobalOptions, context: Context | undefined, environment: Environment, url: URL): string {
  if (options.tokenFile !== undefined) return readTokenFile(options.tokenFile);
  if (context?.token_file !== undefined) {
    requirePrivate(context.token_file);
    return readTokenFile(context.token_file);
  }
  const given = set(environment.GANGLION_TOKEN);
  if (given !== undefined) return checkToken(given, "GANGLION_TOKEN");
  // The local edge's token opens everything there: never send it to another machine.
  if (!["127.0.0.1", "localhost", "[::1]"].includes(url.hostname)) {
    throw new UsageError(`no token for ${url.origin}: give one with GANGLION_TOKEN or --token-file`);
  }
  const candidates = localTokenFiles(environment);
  for (const file of candidates) {
    const token = readIfThere(file);
    if (token !== undefined) return checkToken(token, file);
  }
  throw new UsageError(
    `no token: set GANGLION_TOKEN, give --token-file, or start the edge on this machine with "npm start", ` +
      `which creates one in ${candidates[0]}`,
  );
}

function localTokenFiles(environment: Environment): string[] {
  const stateDir = set(environment.GANGLION_STATE_DIR);
  if (stateDir !== undefined) return [join(stateDir, "token")];
  // The current directory, or else the project: `npm start` runs there.
  return [join(".ganglion", "token"), fileURLToPath(new URL("../.ganglion/token", import.meta.url))];
}

function readTokenFile(file: string): string {
  const token = readIfThere(file);
  if (token === undefined)
    throw new UsageError(`token file ${file} does not exist: check --token-file, from this directory`);
  return checkToken(token, file);
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw new UsageError(`cannot read the token file: ${fileTrouble(file, error)}`);
  }
}

/** Refuses a token that cannot be sent in a header, without printing it. */
function checkToken(text: string, where: string): string {
  const token = text.trim();
  if (!/^[\x21-\x7e]+$/.test(token)) throw new UsageError(`${where} holds no token: give one word of plain characters`);
  return token;
}

/** An empty variable is an absent one. */
function set(value: string | undefined): string | undefined {
  return value === "" ? undefined : value;
}
