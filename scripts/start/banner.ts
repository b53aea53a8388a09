import { join, relative } from "node:path";
import { PROJECT_ROOT } from "../../local-edge/paths.ts";
import type { Source } from "./agent-process.ts";

export const USAGE = `Usage: npm start [-- options]

Starts Ganglion on this machine: the edge (API, log, projections) and the agent that links this host to it.

Options
  --edge-only    only the edge
  --agent-only   only the agent; GANGLION_URL and GANGLION_TOKEN say which edge it links to
  --help         this text

Settings from the environment
  GANGLION_PORT        port of the edge on 127.0.0.1 (8787; 0: any free one)
  GANGLION_STATE_DIR   state of edge and agent (.ganglion)
  GANGLION_ECOSYSTEM   ecosystem of the agent (default)
  GANGLION_HOST_ID     name of this host (its hostname)
docs/agent.md lists all others.`;

export interface Running {
  readonly url: string;
  readonly stateDir: string;
  readonly ecosystem: string;
  /** Of the edge in this process; `undefined` with `--agent-only`. */
  readonly tokenPath: string | undefined;
  /** `undefined` with `--edge-only`. */
  readonly sources: readonly Source[] | undefined;
}

/** Printed after the start: addresses, token, sources, and commands to try. */
export function banner(running: Running): string[] {
  return ["", ...addresses(running), ...sourceLines(running.sources), "", ...thingsToTry(running)];
}

function addresses({ url, tokenPath }: Running): string[] {
  if (tokenPath === undefined) return [`  edge     ${url}`];
  return [`  API      ${url}   (reference: ${url}/docs)`, `  token    ${tokenPath}   (only you can read it)`];
}

function sourceLines(sources: readonly Source[] | undefined): string[] {
  if (sources === undefined) return [];
  if (sources.length === 0) return ["  sources  none (GANGLION_SOURCES)"];
  const width = Math.max(...sources.map(({ name }) => name.length));
  return sources.map(({ name, state, detail }, index) =>
    `  ${index === 0 ? "sources" : "       "}  ${name.padEnd(width)}  ${state}${detail ? `   ${detail}` : ""}`.trimEnd(),
  );
}

function thingsToTry({ url, tokenPath, stateDir, ecosystem }: Running): string[] {
  if (tokenPath === undefined) return [];
  const settings = commandSettings(url, stateDir);
  const body = `{"signal": "Q_HELLO_WORLD", "source": "me", "facts": {"greeting": "hello"}}`;
  return [
    "Try, in another terminal in this directory:",
    "",
    `  ${settings}npx ganglion open      # the dashboard in your browser, signed in`,
    `  ${settings}npx ganglion signals --follow`,
    `  curl -H "Authorization: Bearer $(cat ${shellWord(fromHere(tokenPath))})" \\`,
    `    -H "Content-Type: application/json" -d '${body}' ${url}/v1/${ecosystem}/signals`,
    `  ${settings}npx ganglion status`,
    "",
  ];
}

/** Settings without which the command line, in a terminal that does not have them, would go elsewhere. */
function commandSettings(url: string, stateDir: string): string {
  const address = url === "http://127.0.0.1:8787" ? "" : `GANGLION_URL=${url} `;
  const state = stateDir === join(PROJECT_ROOT, ".ganglion") ? "" : `GANGLION_STATE_DIR=${shellWord(stateDir)} `;
  return address + state;
}

function fromHere(path: string): string {
  const inside = relative(PROJECT_ROOT, path);
  return inside.startsWith("..") ? path : inside;
}

function shellWord(text: string): string {
  return /^[\w./@:+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
