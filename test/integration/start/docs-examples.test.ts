import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { loadSettings } from "../../../local-agent/config/settings.ts";
import { PROJECT_ROOT } from "../../../local-edge/paths.ts";
import { type RunningEdge, runEdge } from "../../harness/running-edge.ts";
import { RunningProcess } from "../../harness/running-process.ts";
import { comingFromPages, documents, examplesIn } from "./examples.ts";
import { shortNpx } from "./short-npx.ts";

let edge: RunningEdge;
let shortcut: string;
beforeAll(async () => {
  edge = await runEdge();
  shortcut = shortNpx();
});

const examples = documents().flatMap(examplesIn);

/** The documents speak of an edge that was started with the defaults; this one has its own port and state. */
const here = (text: string) =>
  text.replaceAll("http://127.0.0.1:8787", edge.url).replaceAll(".ganglion/", `${edge.stateDir}/`);

describe("the documents", () => {
  it("have examples that are run", () => {
    expect(examples.filter(({ mark }) => mark === "run").length).toBeGreaterThan(5);
    expect(examples.filter(({ mark }) => mark !== "run").length).toBeGreaterThan(1);
  });

  it.each(examples.filter(({ mark }) => mark === "run"))(
    "show commands that work ($at)",
    async ({ text, language, at }) => {
      expect(language).toBe("sh");
      const PATH = at.startsWith("README.md") ? process.env.PATH : `${shortcut}:${process.env.PATH}`;
      const shell = new RunningProcess(["-e", "-c", here(text)], {
        command: "sh",
        env: { PATH, GANGLION_URL: edge.url, GANGLION_STATE_DIR: edge.stateDir, npm_config_offline: "true" },
      });
      expect(await shell.ended, shell.lines.join("\n")).toBe(0);
    },
  );

  it.each(examples.filter(({ mark }) => mark.startsWith("signal")))(
    "show a signal that is accepted: $mark ($at)",
    async ({ text }) => {
      const { accepted, duplicates } = await edge.client().emit(JSON.parse(text));
      expect(accepted + duplicates).toBe(1);
    },
  );

  it.each(examples.filter(({ mark }) => mark === "agent file"))(
    "show settings that the agent takes ($at)",
    ({ text }) => {
      const config = join(edge.stateDir, "agent-example.yaml");
      writeFileSync(config, text);
      const { problems } = loadSettings({ GANGLION_TOKEN: edge.token }, edge.stateDir, config);
      expect(problems.filter(({ severity }) => severity === "error")).toEqual([]);
    },
  );

  it.each([...documents(), ...comingFromPages()])("%s links to files that are there", (document) => {
    const text = readFileSync(join(PROJECT_ROOT, document), "utf8");
    const links = [...text.matchAll(/\]\((?!https?:)([^)#]+)/g)].map(([, target = ""]) => target);
    const missing = links.filter((target) => !existsSync(join(PROJECT_ROOT, dirname(document), target)));
    expect(missing).toEqual([]);
  });
});
