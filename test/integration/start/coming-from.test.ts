import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import type { Client } from "../../../src/client/client.ts";
import { eventually } from "../../harness/eventually.ts";
import { hasPythonBus, PythonPublisher } from "../../harness/python-bus.ts";
import { startForeignProxy } from "../bus/bus-parts.ts";
import { comingFromPages, examplesIn } from "./examples.ts";
import { type Commands, type Page, runPage, startCommands } from "./run-page.ts";

const INTENT = '{"id": "i-1", "type": "discover.module.vision", "data": {}}';
const names = async (client: Client) => (await client.signals({ limit: 100 })).signals.map(({ signal }) => signal);

const PAGES: Readonly<Record<string, Page>> = {
  "docs/coming-from/bus.md": {
    async before({ root, bus }) {
      for (const directory of ["metrics", "lineage", "data"]) mkdirSync(join(root, directory));
      await startForeignProxy(bus);
    },
    until: {
      "npx ganglion signals --limit 20": async ({ client, bus }) => {
        const publisher = new PythonPublisher(bus.xsub);
        await publisher.heard();
        await publisher.observe(6, 99);
        await eventually(async () => expect((await client.gaps()).length).toBe(1));
      },
    },
    after(_, output) {
      expect(output).toContain("bus: a proxy (or this agent) listens");
      expect(output).toContain("cpu_bottleneck_py-worker");
    },
  },
  "docs/coming-from/intelligence.md": {
    before({ root }) {
      mkdirSync(join(root, "code"));
      writeFileSync(
        join(root, "code/node_mail_effect.py"),
        readFileSync("examples/nodes/node_user_store_effect.py", "utf8"),
      );
    },
    until: {
      "npx ganglion ask patterns 'node_*_effect.py'": ({ client }) =>
        eventually(async () => {
          // The host is asked each minute.
          await client.agents.runMonitors();
          const [host] = await client.agents.list();
          expect(JSON.stringify(host?.runs)).toContain('"files":1');
        }),
    },
    after(_, output) {
      expect(output).toContain("node_mail_effect.py");
    },
  },
  "docs/coming-from/orchestrator.md": {
    before({ root }) {
      for (const directory of ["intents", "promotions", "data"]) mkdirSync(join(root, directory));
      writeFileSync(join(root, "intents/1767700980_discover.json"), INTENT);
      writeFileSync(join(root, "promotions/p-1.json"), '{"score": 0.9}');
      writeFileSync(join(root, "data/capabilities.yaml"), "modules: [hearing]\n");
      const failed = [
        { signal: "Q_ODD", error: "no handler", timestamp: 1_767_700_000.5, daemon: "orchestrator" },
        { intent_file: "/srv/intents/odd.json", error: "no route", timestamp: 1_767_700_001, daemon: "router" },
      ];
      const state = {
        dream_in_flight: true,
        last_dream_trigger: Date.now() / 1_000 - 600,
        seen_gaps: ["cpu"],
        cycles: 7,
      };
      writeFileSync(join(root, "policy_state.json"), JSON.stringify(state));
      writeFileSync(join(root, "failed_signals.jsonl"), failed.map((one) => `${JSON.stringify(one)}\n`).join(""));
    },
    until: {
      "npx ganglion monitors run": ({ client }) =>
        eventually(async () => expect(await names(client)).toContain("Q_CURIOSITY_INVESTIGATE")),
    },
    async after({ root, client }, output) {
      // Observed: the file is the old router's still, and no work was started beside it.
      expect(readdirSync(join(root, "intents")).filter((name) => name.endsWith(".json"))).toHaveLength(1);
      expect(output).toContain("Q_PROMOTIONS_DETECTED");
      expect(await names(client)).not.toContain("Q_DREAM_TRIGGER");
      expect(output).toMatch(/^cycles .* it neither says what is in flight/m);
      // The daemon's dream is under way: with the rules on again, promotions begin no second one.
      expect(output).toMatch(/^\S+ +promotions-to-dream@\d+ .*imported by .*: in flight since/m);
      await client.emit({ signal: "Q_PROMOTIONS_DETECTED", source: "test", facts: { promotion_count: 1 } });
      await eventually(async () => {
        const [decision] = (await client.decisions({ rule: "promotions-to-dream" })).decisions;
        expect(decision).toMatchObject({ outcome: "suppressed", signal: { signal: "Q_PROMOTIONS_DETECTED" } });
      });
      await eventually(async () => expect((await client.deadLetters.list()).dead_letters).toHaveLength(2));
    },
  },
  "docs/coming-from/team.md": {
    before({ root }) {
      writeFileSync(
        join(root, "team_daemon.yaml"),
        "team: {agents: {coder: {enabled: true, sleep_interval: 5}}}\nmessage_queue: {backend: sqlite}\nhealth_check: {interval: 30, timeout: 5}\n",
      );
      writeFileSync(join(root, "coder.py"), 'import time\nprint("coding", flush=True)\ntime.sleep(3600)\n');
    },
    until: {
      "npx ganglion ps": ({ root }) =>
        eventually(() => expect(readFileSync(join(root, "state/agents/coder.log"), "utf8")).toContain("coding")),
    },
    after(_, output) {
      expect(output).toContain("message_queue.backend: has no equivalent");
      expect(output).toMatch(/^coding$/m);
    },
  },
  "docs/coming-from/watcher.md": {
    before: () => undefined,
    until: {
      "npx ganglion workers": ({ client }) =>
        eventually(async () => expect(await names(client)).toContain("Q_WORKER_TASK_COMPLETE")),
    },
    after({ root }, output) {
      expect(existsSync(join(root, "trial/dlq/claude"))).toBe(true);
      expect(output).toContain('"event_type": "task_completed"');
    },
  },
};

let commands: Commands;
beforeAll(async () => {
  commands = await startCommands();
});

describe("a page for those who come from an older system", () => {
  it("is one of those that are run", () => {
    expect(comingFromPages()).toEqual(Object.keys(PAGES));
  });

  it.each(Object.keys(PAGES).filter((page) => hasPythonBus || !page.endsWith("bus.md")))(
    "works as it stands, on a fresh start: %s",
    async (name) => {
      const page = PAGES[name] as Page;
      const examples = examplesIn(name);
      // Every block that a reader would type is marked, so that it is run here.
      expect(examples.length).toBe((readFileSync(name, "utf8").match(/^```\w+$/gm) ?? []).length);
      const { host, output } = await runPage(commands, name, examples, page);
      await page.after(host, output);
    },
  );
});
