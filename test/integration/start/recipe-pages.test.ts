import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { PROJECT_ROOT } from "../../../local-edge/paths.ts";
import { eventually } from "../../harness/eventually.ts";
import { complete, startModel } from "../../harness/fake-model.ts";
import { startReceiver } from "../../harness/webhook-receiver.ts";
import { connect } from "../mcp/session-client.ts";
import { examplesIn, recipes } from "./examples.ts";
import { type Commands, type Page, type PageHost, runPage, startCommands } from "./run-page.ts";

let commands: Commands;
let receiver: Awaited<ReturnType<typeof startReceiver>>;
let modelUrl: string;
beforeAll(async () => {
  [commands, receiver] = await Promise.all([startCommands(), startReceiver()]);
});
afterAll(() => receiver.stop());

/** Messages that arrived in a box of the receiver, once there are `count`. */
const received = async (box: string, count: number): Promise<readonly { readonly body: string }[]> =>
  JSON.parse(await (await fetch(`${receiver.url}/${box}?count=${count}`)).text());
const gapIsOpen = ({ client }: PageHost) => eventually(async () => expect(await client.gaps()).toHaveLength(1));
const decisions = (count: number) => async (host: PageHost) =>
  eventually(async () =>
    expect((await host.client.decisions({ rule: "triage-disk" })).decisions.length).toBeGreaterThanOrEqual(count),
  );

/** A card that is hot. */
function nvidiaSmi({ root }: PageHost): string {
  const command = join(root, "nvidia-smi");
  writeFileSync(command, '#!/bin/sh\nwhile :; do echo "0, 3, 1024, 24576, 91, NVIDIA H1, big"; sleep 0.1; done\n');
  chmodSync(command, 0o755);
  return command;
}

interface Recipe extends Page {
  /** Blocks that need an account elsewhere. */
  readonly byHand?: number;
}

const finished = (queue: string, count: number) => async (host: PageHost) =>
  eventually(async () => expect((await host.client.queues.finished(queue)).tasks).toHaveLength(count));

/** The block that Claude Code reads opens a session, with the token that the page has made before. */
async function opensWithItsSettings(page: string, tokenFile: string): Promise<void> {
  const [, block = ""] = /^```json\n(.*?)^```$/ms.exec(readFileSync(join(PROJECT_ROOT, page), "utf8")) ?? [];
  const { url, headers } = (JSON.parse(block) as McpSettings).mcpServers.ganglion;
  expect(headers.Authorization).toMatch(/^Bearer \$\{GANGLION_TOKEN\}$/);
  const { token } = JSON.parse(readFileSync(tokenFile, "utf8")) as { token: string };
  // The page's own edge and ecosystem are those of a reader.
  expect(url).toBe("http://127.0.0.1:8787/v1/default/mcp");
  const session = await connect(`${commands.edge.url}/v1/claude-team/mcp`, token);
  expect((await session.listPrompts()).prompts.map(({ name }) => name)).toContain("work");
  expect((await session.listTools()).tools.map(({ name }) => name)).toContain("take_task");
  await session.close();
}

interface McpSettings {
  readonly mcpServers: {
    readonly ganglion: { readonly url: string; readonly headers: Readonly<Record<string, string>> };
  };
}

const PAGES: Readonly<Record<string, Recipe>> = {
  "docs/recipes/bullmq.md": {
    until: { "npx ganglion tasks finished --queue jobs": finished("jobs", 3) },
    after(_, output) {
      for (const id of ["mail-1", "mail-2", "mail-3"]) expect(output).toContain(id);
    },
  },
  "docs/recipes/canary.md": {
    until: { "npx ganglion gaps": gapIsOpen },
    after(_, output) {
      expect(output).toContain("worse_variant_summaries_prompt-8");
      expect(output).toMatch(/take-canary-back/);
    },
  },
  "docs/recipes/claude-team.md": {
    byHand: 1,
    async after({ client, root }, output) {
      expect(output).toContain("review-4711");
      await opensWithItsSettings("docs/recipes/claude-team.md", join(root, "ada.json"));
      expect(await client.queues.task("team", "review-4711")).toMatchObject({ status: "running" });
      expect(await client.queues.task("team", "fix-7")).toMatchObject({ status: "queued" });
    },
  },
  "docs/recipes/cron.md": {
    until: { "npx ganglion schedule runs sync-photos": finished("jobs", 1) },
    after(_, output) {
      expect(output).toContain("12 photos");
    },
  },
  "docs/recipes/github-issues.md": {
    until: {
      "npx ganglion tasks list --queue issues": ({ client }) =>
        eventually(async () => expect((await client.queues.task("issues", "issue-7")).status).toBe("queued")),
    },
    async after({ client }, output) {
      expect(await client.queues.task("issues", "issue-7")).toMatchObject({
        recipient: "fixer",
        payload: { number: 7, title: "It breaks", url: "https://github.com/me/app/issues/7" },
      });
      expect(output).toContain("issue-7");
      const { signals } = await client.signals({ signals: ["X_ISSUE_OPENED"] });
      expect(signals).toHaveLength(1);
    },
  },
  "docs/recipes/gpu-box.md": {
    instead: (host) => ({
      "https://ntfy.sh/my-topic": `${receiver.url}/ntfy/my-topic`,
      "gpu_command: nvidia-smi": `gpu_command: ${nvidiaSmi(host)}`,
    }),
    until: {
      "npx ganglion gaps": async ({ client }) => {
        await eventually(async () => expect(JSON.stringify(await client.agents.list())).toContain("older-host"));
        // A look each minute, and three readings in a row.
        await eventually(async () => {
          await client.agents.runMonitors();
          const { signals } = await client.signals({ signals: ["Q_HEALTH_ALERT"] });
          expect(signals.map(({ facts }) => facts?.kind)).toContain("gpu_temperature");
        });
        await received("ntfy", 1);
      },
    },
    async after(_, output) {
      const [message] = await received("ntfy", 1);
      expect(message?.body).toContain("older-host: 91 °C");
      expect(output).toContain("Q_HEALTH_ALERT");
    },
  },
  "docs/recipes/home-lab.md": {
    byHand: 1,
    instead: () => ({ "/srv/ganglion": PROJECT_ROOT }),
    after({ root }, output) {
      expect(JSON.parse(readFileSync(join(root, "nas.json"), "utf8"))).toMatchObject({ hosts: ["nas"] });
      expect(output).toContain("older-host");
    },
  },
  "docs/recipes/model-fall-back.md": {
    env: { OPENAI_API_KEY: "sk-of-the-reader" },
    instead: () => ({ "https://api.openai.com/v1/chat/completions": modelUrl }),
    async before() {
      const model = await startModel((_, response) =>
        complete(response, JSON.stringify({ choice: "wait", reason: "It fills slowly" })),
      );
      modelUrl = model.url;
    },
    until: {
      "npx ganglion decisions --rule triage-disk": decisions(1),
      "npx ganglion models": decisions(2),
    },
    async after({ client }) {
      const { signals } = await client.signals({ signals: ["X_WAKE_SOMEBODY", "X_LOOK_LATER"], order: "asc" });
      expect(signals.map(({ signal, facts }) => [signal, facts?.host])).toEqual([
        ["X_WAKE_SOMEBODY", "box-1"],
        ["X_LOOK_LATER", "box-2"],
      ]);
    },
  },
  "docs/recipes/nightly-jobs.md": {
    until: { "npx ganglion schedule runs nightly": finished("jobs", 1) },
    async after({ client }, output) {
      const [task] = (await client.queues.finished("jobs")).tasks;
      expect(task).toMatchObject({ status: "complete", recipient: "backup" });
      expect(output).toContain("offsite");
    },
  },
  "docs/recipes/slack.md": {
    instead: () => ({ "https://hooks.slack.com/services/T0/B0/x": `${receiver.url}/slack` }),
    until: { "npx ganglion webhooks deliveries alerts": () => received("slack", 2).then(() => undefined) },
    async after(_, output) {
      const bodies = (await received("slack", 2)).map(({ body }) => body).join("\n");
      expect(bodies).toContain("cpu_bottleneck_demo");
      expect(bodies).toContain('"blocks"');
      expect(output).toContain("delivered");
    },
  },
};

describe("a recipe", () => {
  it("is one of those that are run", () => {
    expect(recipes()).toEqual(Object.keys(PAGES));
  });

  it.each(Object.keys(PAGES))("works as it stands, on a fresh start: %s", async (name) => {
    const page = PAGES[name] as Recipe;
    const examples = examplesIn(name);
    const blocks = (readFileSync(name, "utf8").match(/^```\w+$/gm) ?? []).length;
    // Every block that a reader without an account elsewhere would type is marked, so that it is run here.
    expect(examples.length).toBe(blocks - (page.byHand ?? 0));
    const { host, output } = await runPage(commands, name, examples, page);
    await page.after(host, output);
  });
});
