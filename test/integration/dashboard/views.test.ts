import { gzipSync } from "node:zlib";
import type { Page } from "playwright-core";
import { beforeAll, describe, expect, test } from "vitest";
import type { Client } from "../../../src/client/client.ts";
import { accessibilityFaults, hasBrowser, openDashboard } from "../../harness/browser.ts";
import { type RunningEdge, runEdge } from "../../harness/running-edge.ts";
import { CHAIN_RULE, fill, type LinkedHost, linkHost } from "./seed.ts";

/** One edge and one page for all tests of this file: each opens what it looks at by its URL. */
describe.runIf(hasBrowser)("the dashboard in a browser", () => {
  let edge: RunningEdge;
  let client: Client;
  let page: Page;
  let host: LinkedHost;
  let pushed: string;

  beforeAll(async () => {
    edge = await runEdge();
    client = edge.client();
    host = await linkHost(edge, "gpu-01");
    host.report([
      { name: "coder", task: "branch main" },
      { name: "reviewer", verdict: "waiting", task: "a person: approve the merge" },
      { name: "tester", state: "gave_up", verdict: "dead", restarts: 5, detail: "exit 1, five times in a row" },
    ]);
    ({ pushed } = await fill(client, Date.now()));
    page = await openDashboard(edge, "default/attention", { act: true, viewport: { width: 1280, height: 900 } });
  });

  const goTo = (path: string) => page.goto(`${edge.url}/app/default/${path}`);
  const shown = (words: string | RegExp) => page.getByText(words).filter({ visible: true }).first().waitFor();
  const press = (name: string | RegExp) => page.getByRole("button", { name }).first().click();

  const VIEWS: readonly (readonly [name: string, path: () => string, shows: string | RegExp])[] = [
    ["Attention", () => "attention", /tester/],
    ["Fleet", () => "fleet", "a person: approve the merge"],
    ["Live stream", () => "live?names=PUSHED", "77c0de1"],
    ["Chain of a signal", () => `chain/${pushed}`, "BUILD_WANTED"],
    ["Queues", () => "queues", "reviews"],
    ["Queue", () => "queues/reviews?text=poison", /poison/],
    ["Dead letters", () => "dead-letters", "There are no dead letters."],
    ["Policies", () => "policies", CHAIN_RULE.id],
    ["Policy", () => `policies/${CHAIN_RULE.id}`, "Versions"],
    ["Host", () => "hosts/gpu-01?process=tester", "exit 1, five times in a row"],
    ["Gap", () => "gaps/cpu_bottleneck_gpu-01", "With these thresholds"],
    ["Expectations", () => "expectations", "BUILT"],
    ["History", () => "history?range=5", "cpu_percent"],
    ["Usage", () => "usage", "Budget of the month"],
    ["Tokens", () => "access?tab=tokens", "New token…"],
    ["Sessions", () => "access?tab=sessions", "this browser"],
    ["Webhooks", () => "access?tab=webhooks", "There is no webhook endpoint."],
  ];

  test.each(VIEWS)(
    "shows real data in the view %s, in both themes and 320 px, and excludes nobody",
    async (_, path, shows) => {
      await page.emulateMedia({ colorScheme: "light" });
      await page.setViewportSize({ width: 1280, height: 900 });
      await goTo(path());
      await shown(shows);
      expect(await accessibilityFaults(page)).toEqual([]);
      await page.emulateMedia({ colorScheme: "dark" });
      await page.setViewportSize({ width: 320, height: 700 });
      expect(await page.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(320);
      expect(await accessibilityFaults(page)).toEqual([]);
      await page.setViewportSize({ width: 1280, height: 900 });
    },
  );

  test("loads at most 60 KB before it shows something, compressed", async () => {
    const html = await (await fetch(`${edge.url}/app/`)).text();
    const files = [...html.matchAll(/(?:src|href)="(\/app\/assets\/[^"]+)"/g)].map(([, path]) => path);
    const texts = await Promise.all(files.map(async (path) => (await fetch(`${edge.url}${path}`)).text()));
    expect(files.length).toBeGreaterThan(1);
    expect(texts.reduce((sum, text) => sum + gzipSync(text).length, 0)).toBeLessThanOrEqual(60 * 1024);
  });

  test("shows what happens as it happens, without a reload", async () => {
    await goTo("fleet");
    await shown("working");
    host.report([{ name: "coder", verdict: "hung", task: "branch main" }]);
    await shown("hung");
    await goTo("live?names=AS_IT_HAPPENS");
    await shown("No signal has come since this page was opened.");
    await client.emit({ signal: "AS_IT_HAPPENS", source: "test", facts: { nice: true } });
    await shown('{"nice":true}');
  });

  test("misses no signal over a pause", async () => {
    await goTo("live?names=PAUSED_*");
    await client.emit({ signal: "PAUSED_1", source: "test", facts: {} });
    await shown("PAUSED_1");
    await press("Pause");
    await shown(/^Paused at/);
    await client.emit({ signal: "PAUSED_2", source: "test", facts: {} });
    await press("Pause");
    await shown("PAUSED_2");
    expect(await page.getByRole("listbox", { name: "Signals" }).getByRole("option").count()).toBe(2);
  });

  test("says that the edge is away, keeps what it showed, and goes on by itself when the edge is back", async () => {
    await goTo("fleet");
    await shown("gpu-01");
    await page.evaluate('document.title = "the same page"');
    await page.context().setOffline(true);
    await shown(/The edge does not answer/);
    await shown("gpu-01");
    host.report([{ name: "back-again" }]);
    await page.context().setOffline(false);
    await shown("back-again");
    await expect.poll(() => page.getByText(/The edge does not answer/).count()).toBe(0);
  });

  test("is used by the keyboard alone: to a view, to a thing by its name, and into a list", async () => {
    await goTo("attention");
    await shown("What needs somebody now");
    await page.keyboard.press("g");
    await page.keyboard.press("q");
    await page.waitForURL(/\/queues$/);
    await shown("reviews");
    await page.keyboard.press("j");
    await page.keyboard.press("Enter");
    await page.waitForURL(/\/queues\//);
    await page.keyboard.press("Control+k");
    await page.keyboard.type("gpu-01");
    await page.keyboard.press("Enter");
    await page.waitForURL(/\/hosts\/gpu-01/);
    await shown("its agent is linked");
    expect(await page.evaluate("document.activeElement?.textContent")).toBe("gpu-01");
    await goTo(`chain/${pushed}`);
    await page.getByRole("listbox", { name: /Causes and effects/ }).focus();
    await page.keyboard.press("ArrowDown");
    await expect.poll(() => page.locator(".row[aria-selected=true]").textContent()).toContain("BUILD_WANTED");
    await page.keyboard.press("Shift+?");
    await shown("open anything by name or id");
    await page.keyboard.press("Escape");
  });

  test("counts dead letters before it replays them, and shows the result", async () => {
    const lost = { recipient: "nobody", type: "job", payload: {}, deadline_ms: 1 };
    await client.queues.put("fragile", [lost, lost]);
    await expect.poll(async () => (await client.deadLetters.list()).dead_letters.length).toBe(2);
    await goTo("dead-letters?daemon=ganglion/queue/fragile");
    await shown("fragile");
    await press("Replay…");
    await shown("2 items");
    expect((await client.deadLetters.list()).dead_letters).toHaveLength(2);
    await press("Replay 2");
    await shown(/^Ended: 2 of 2 done/);
  });

  test("simulates a changed rule, lists what would differ, and applies it", async () => {
    await goTo(`policies/${CHAIN_RULE.id}`);
    const editor = page.getByLabel("The rule (JSON)");
    const before = await editor.inputValue();
    await editor.fill(before.replace("facts.branch != 'draft'", "facts.branch == 'draft'"));
    await press("Simulate");
    await shown(/decisions would differ/);
    await shown("no decision");
    await press("Apply");
    await shown(`${CHAIN_RULE.id} is in force, version 2`);
    expect((await client.policy.show(CHAIN_RULE.id)).policy?.where).toBe("facts.branch == 'draft'");
  });

  test("cancels the tasks that a search in their payload finds, and no others", async () => {
    await goTo("queues/reviews?text=poison");
    await shown("1 task of those that are loaded");
    await press("Cancel…");
    await press("Cancel 1");
    await shown(/^Ended: 1 of 1 done/);
    expect((await client.queues.status("reviews")).depth).toBe(11);
  });

  test("asks for one document, again and again, for whatever stands in the fleet", async () => {
    await goTo("fleet");
    await shown("gpu-01");
    await page.waitForResponse(/\/overview/);
    const asked: string[] = [];
    page.on("request", (request) => asked.push(new URL(request.url()).pathname));
    await page.waitForResponse(/\/overview/);
    await page.waitForResponse(/\/overview/);
    expect(new Set(asked)).toEqual(new Set(["/v1/default/overview"]));
  });
});
