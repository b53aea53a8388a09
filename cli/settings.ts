import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Command } from "commander";
import { type Client, createClient } from "../src/client/client.ts";
import { nodeFetch } from "../src/client/http/node-fetch.ts";
import { openSocketSource } from "../src/client/stream/socket-source.ts";
import { parseUrl } from "../src/core/wire/parse-url.ts";
import { UsageError } from "./failure.ts";

export interface GlobalOptions {
  readonly url?: string;
  readonly tokenFile?: string;
  readonly ecosystem?: string;
  readonly json?: true;
  readonly wide?: true;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** The client for a command, from its options, the environment and the local edge's token, in this order. */
export function clientFor(command: Command, environment: Environment = process.env): Client {
  return createClient({ ...connectionFor(command, environment), openSource: openSocketSource, fetch: nodeFetch });
}

/** Where the edge of a command is, the token for it, and the ecosystem. */
export function connectionFor(command: Command, environment: Environment = process.env) {
  const { ecosystem = set(environment.GANGLION_ECOSYSTEM) ?? "default" } = command.optsWithGlobals<GlobalOptions>();
  return { ...edgeFor(command, undefined, environment), ecosystem };
}

/**
 * Where the edge is, and the token for it.
 *
 * @param url - in place of the option and the variable
 */
export function edgeFor(command: Command, url?: string, environment: Environment = process.env) {
  const options = command.optsWithGlobals<GlobalOptions>();
  const read = readUrl(url === undefined ? options : { ...options, url }, environment);
  return { url: read.href, token: readToken(options, environment, read) };
}

/** The default source of emitted signals: this host. */
export function defaultSource(environment: Environment = process.env): string {
  return set(environment.GANGLION_HOST_ID) ?? hostname();
}

function readUrl(options: GlobalOptions, environment: Environment): URL {
  const given = options.url ?? set(environment.GANGLION_URL);
  const text = given ?? `http://127.0.0.1:${set(environment.GANGLION_PORT) ?? "8787"}`;
  const url = parseUrl(text);
  if (url === null || !["http:", "https:"].includes(url.protocol)) {
    throw new UsageError(
      `"${text}" is not the URL of an edge: give one such as http://127.0.0.1:8787 (--url or GANGLION_URL)`,
    );
  }
  if (url.username !== "" || url.password !== "") {
    throw new UsageError(
      "the URL of the edge must not hold a name or password: give the token with GANGLION_TOKEN or --token-file",
    );
  }
  return url;
}

function readToken(options: GlobalOptions, environment: Environment, url: URL): string {
  if (options.tokenFile !== undefined) return readTokenFile(options.tokenFile);
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
  if (token === undefined) throw new UsageError(`token file ${file} does not exist`);
  return checkToken(token, file);
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw new UsageError(`cannot read the token file ${file} (${code})`);
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
