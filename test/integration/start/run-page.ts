import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { loadSettings } from "../../../local-agent/config/settings.ts";
import type { Client } from "../../../src/client/client.ts";
import { temporaryDirectory } from "../../harness/cleanup.ts";
import { eventually } from "../../harness/eventually.ts";
import { type RunningEdge, runEdge } from "../../harness/running-edge.ts";
import { RunningProcess } from "../../harness/running-process.ts";
import { freeEndpoints } from "../bus/bus-parts.ts";
import type { Example } from "./examples.ts";
import { shortNpx } from "./short-npx.ts";

/** A host in a directory that stands for the reader's and for `/srv`. */
export interface PageHost {
  readonly root: string;
  readonly client: Client;
  readonly bus: { readonly xsub: string; readonly xpub: string };
}

/** A document that is run as a whole, on an ecosystem and a host of its own. */
export interface Page {
  /** What the reader has before. */
  readonly before?: (host: PageHost) => Promise<void> | void;
  /** By a line of a block: what has come about until a reader runs the block. */
  readonly until?: Readonly<Record<string, (host: PageHost) => Promise<void>>>;
  /** Variables that the reader has set. */
  readonly env?: Readonly<Record<string, string>>;
  /** What stands for things of others, by their text: an address, a program. */
  readonly instead?: (host: PageHost) => Readonly<Record<string, string>>;
  /** What the page promises. @param output - of all blocks */
  readonly after: (host: PageHost, output: string) => Promise<void> | void;
}

/** An edge, and the commands that readers type. */
export interface Commands {
  readonly edge: RunningEdge;
  readonly path: string;
}

export const startCommands = async (): Promise<Commands> => ({
  edge: await runEdge(),
  path: `${shortNpx()}:${process.env.PATH}`,
});

/** Runs the blocks of a page one after the other, as a reader would. @returns their output */
export async function runPage(
  { edge, path }: Commands,
  page: string,
  examples: readonly Example[],
  { before, until = {}, env: own, instead }: Page,
) {
  const ecosystem = page.replace(/^.*\/|\.md$/g, "");
  const host: PageHost = { root: temporaryDirectory(), client: edge.client(ecosystem), bus: await freeEndpoints() };
  await before?.(host);
  const services = Object.entries(instead?.(host) ?? {});
  const env = {
    PATH: path,
    GANGLION_URL: edge.url,
    GANGLION_TOKEN: edge.token,
    GANGLION_ECOSYSTEM: ecosystem,
    GANGLION_HOST_ID: "older-host",
    GANGLION_STATE_DIR: join(host.root, "state"),
    KLR_CHEM_XSUB: host.bus.xsub,
    KLR_CHEM_XPUB: host.bus.xpub,
    npm_config_offline: "true",
    ...own,
  };
  const here = (text: string) =>
    services
      .reduce((said, [theirs, ours]) => said.replaceAll(theirs, ours), text)
      .replaceAll("/srv/", `${host.root}/`)
      .replaceAll("tcp://127.0.0.1:5556", host.bus.xsub)
      .replaceAll("tcp://127.0.0.1:5557", host.bus.xpub)
      .replaceAll("METRICS_PORT=9091", "GANGLION_OBSERVABILITY_PORT=off");
  const shell = (text: string) => new RunningProcess(["-e", "-c", here(text)], { command: "sh", cwd: host.root, env });
  const output: string[] = [];
  for (const { mark, text, at } of examples) {
    if (mark === "agent file") {
      const file = join(host.root, "ganglion-agent.yaml");
      writeFileSync(file, here(text));
      const { problems } = loadSettings({ GANGLION_TOKEN: edge.token }, host.root, file);
      expect(problems.filter(({ severity }) => severity === "error")).toEqual([]);
      continue;
    }
    for (const line of text.split("\n")) await until[line]?.(host);
    if (/ &\n$/.test(text)) {
      // Left running in the background of the reader's shell, until the test is over.
      shell(text.replace(/ &\n$/, "\n"));
      if (/^npx ganglion-agent /m.test(text))
        await eventually(async () => expect((await host.client.agents.list())[0]?.state).toBe("up"));
      continue;
    }
    const block = shell(text);
    expect(await block.ended, `${at}\n${block.lines.join("\n")}`).toBe(0);
    output.push(...block.lines);
  }
  return { host, output: output.join("\n") };
}
