import { gzipSync } from "node:zlib";
import type { Page } from "playwright-core";
import { beforeAll, describe, expect, test } from "vitest";
import type { Client } from "../../../src/client/client.ts";
import { accessibilityFaults, hasBrowser, openDashboard } from "../../harness/browser.ts";
import { type RunningEdge, runEdge } from "../../harness/running-edge.ts";
import { CHAIN_RULE, fill, fillCoordination, type LinkedHost, linkHost } from "./seed.ts";
import { takePicture } from "./take-picture.ts";
import { PICTURES, viewsOf } from "./views.ts";

/** Buttons that change something, by how their labels begin. A reader may pause what the page shows, and no queue. */
const ACTS =
  /^(Answer|Apply|Cancel|Clear|Close limit|Delete|Discard|End|Forget|New|Open limit|Pause(?=…)|Publish|Purge|Release|Replay|Restart|Resume|Retry|Save|Set|Start|Stop|Switch|Take back|Test)\b/;

/** One edge and one page for all tests of this file: each opens what it looks at by its URL. */
describe.runIf(hasBrowser)("the dashboard in a browser", () => {
  let edge: RunningEdge;
  let client: Client;
  let page: Page;
  /** Of somebody with a narrow screen, dark, in a session that only reads. */
  let reader: Page;
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
    await fillCoordination(client);
    await client.inbox.put("github", { verify: { kind: "github" }, signal: "REPOSITORY_PUSHED" });
    await fetch(`${edge.url}/v1/default/hooks/claude-code`, {
      method: "POST",
      headers: { Authorization: `Bearer ${edge.token}`, "Content-Type": "application/json" },
      body: JSON.stringify({ session_id: "s-1", hook_event_name: "PermissionRequest", tool_name: "Bash" }),
    });
    const wide = { act: true, viewport: { width: 1280, height: 900 }, colorScheme: "light" } as const;
    const narrow = { viewport: { width: 320, height: 700 }, colorScheme: "dark", reducedMotion: "reduce" } as const;
    [page, reader] = await Promise.all([
      openDashboard(edge, "default/attention", wide),
      openDashboard(edge, "default/attention", narrow),
    ]);
  });

  const goTo = (path: string) => page.goto(`${edge.url}/app/default/${path}`);
  const shownIn = (where: Page, words: string | RegExp) =>
    where.getByText(words).filter({ visible: true }).first().waitFor();
  const shown = (words: string | RegExp) => shownIn(page, words);
  const press = (name: string | RegExp) => page.getByRole("button", { name }).first().click();
  /** Goes to a view as a link does, without loading the page again. */
  const stepTo = (where: Page, path: string) =>
    where.evaluate(`history.pushState(null, "", ${JSON.stringify(`/app/default/${path}`)});
      dispatchEvent(new PopStateEvent("popstate"));
      new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))`);
  const buttonsOf = (where: Page) => where.locator("main").getByRole("button").allInnerTexts();

  const VIEWS = viewsOf(() => pushed);

  test.each(VIEWS)(
    "shows real data in the view %s, in both themes and 320 px, and excludes nobody",
    async (_, path, shows) => {
      const look = async (where: Page, rules?: readonly string[]) => {
        await stepTo(where, path());
        await shownIn(where, shows);
        return accessibilityFaults(where, rules);
      };
      // The same elements stand in both: only their colours differ, and where they go.
      expect(await Promise.all([look(page, ["color-contrast"]), look(reader)])).toEqual([[], []]);
      expect(await reader.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(320);
      expect(await reader.evaluate("document.getAnimations().length")).toBe(0);
      expect((await buttonsOf(reader)).filter((label) => ACTS.test(label))).toEqual([]);
    },
  );

  const pictures = process.env.GANGLION_PICTURES;
  // `npm run pictures` alone sets it.
  if (pictures !== undefined) {
    test.each(PICTURES)("pictures: %s", async (file, path, shows) => {
      await stepTo(page, path);
      await shown(shows);
      await takePicture(page, `${pictures}/${file}.webp`);
    });
  }

  test("offers a session that may act what one that only reads does not see", async () => {
    const offered: Readonly<Record<string, string>> = {
      "live?names=PUSHED": "Publish…",
      "queues/reviews?text=poison": "Cancel…",
      "queues/reviews": "Pause",
      policies: "New rule",
      [`policies/${CHAIN_RULE.id}`]: "Apply",
      "hosts/gpu-01?process=tester": "Start",
      coordination: "Open limit",
      "coordination?tab=locks": "Release",
      "coordination?tab=questions&sel=deploy-42": "Answer: yes",
      "coordination?tab=notes": "New note",
      "access?tab=tokens": "New token…",
    };
    for (const [path, label] of Object.entries(offered)) {
      await stepTo(page, path);
      await page.locator("main").getByRole("button", { name: label }).first().waitFor();
    }
    expect(await reader.getByText("reads only", { exact: true }).count()).toBe(1);
  });

  /** What these files weigh, as browsers load them. */
  const compressed = async (paths: readonly string[]) =>
    (await Promise.all(paths.map(textOf))).reduce((sum, text) => sum + gzipSync(text).length, 0);
  const textOf = async (path: string) => (await fetch(edge.url + path)).text();

  test("loads at most 30 KB before it shows something, compressed", async () => {
    const first = [...(await textOf("/app/")).matchAll(/(?:src|href)="(\/app\/assets\/[^"]+)"/g)];
    expect(first.length).toBeGreaterThan(1);
    expect(await compressed(first.map(([, path = ""]) => path))).toBeLessThanOrEqual(30 * 1024);
  });

  test("has at most 60 KB of JavaScript in all, compressed, with every view and signing in", async () => {
    const scripts = new Set<string>();
    const read = async (path: string): Promise<void> => {
      const named = [...(await textOf(path)).matchAll(/[\w-]+-[\w-]{8}\.js/g)].map(([name]) => `/app/assets/${name}`);
      const others = named.filter((name) => !scripts.has(name));
      for (const name of others) scripts.add(name);
      await Promise.all(others.map(read));
    };
    await Promise.all(["/app/", "/login"].map(read));
    expect(scripts.size).toBeGreaterThanOrEqual(3);
    expect(await compressed([...scripts])).toBeLessThanOrEqual(60 * 1024);
  });

  test("finds a call of the API's page by words, and tries it as the session or as a token", async () => {
    const [script = ""] = /\/app\/assets\/docs-[\w-]{8}\.js/.exec(await textOf("/docs")) ?? [];
    expect(await compressed([script])).toBeLessThanOrEqual(3 * 1024);
    await page.goto(`${edge.url}/docs`);
    await page.getByLabel("Search").fill("many SIGNAL emit");
    const call = page.locator("section > details", { hasText: "Emit one signal, or many" }).filter({ visible: true });
    await call.locator("summary").first().click();
    const send = () => call.getByRole("button", { name: "Send POST" }).click();
    await send();
    await call.getByText(/^202 [\s\S]*"accepted": 1/).waitFor();
    await call.getByLabel("eco", { exact: true }).fill("");
    await send();
    await call.getByText("Give eco: it is a part of the path.").waitFor();
    await call.getByLabel("eco", { exact: true }).fill("default");
    await page.getByLabel("Token").fill(edge.token);
    await send();
    await call.getByText(/^202 [\s\S]*"accepted": 1/).waitFor();
    expect(await page.evaluate("document.querySelectorAll('section > details:not([hidden])').length")).toBeLessThan(20);
    expect(await accessibilityFaults(page)).toEqual([]);
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

  test("looks closer at what is dragged over in a chart, reads points by the keyboard, and zooms out again", async () => {
    await goTo("history?range=5&metric=cpu_percent");
    const plot = page.getByRole("application", { name: /^cpu_percent over time/ });
    await plot.locator("svg").waitFor();
    await plot.press("Home");
    await shown(/^\d\d:\d\d:\d\d: [\d.]+, from [\d.]+ to [\d.]+$/);
    const { x = 0, y = 0, width = 0 } = (await plot.boundingBox()) ?? {};
    await page.mouse.move(x + width / 2, y + 60);
    await page.mouse.down();
    await page.mouse.move(x + (width * 3) / 4, y + 70, { steps: 4 });
    await page.mouse.up();
    await page.waitForURL(/since=.*until=/);
    const { searchParams } = new URL(page.url());
    const [since, until] = ["since", "until"].map((name) => Date.parse(searchParams.get(name) ?? ""));
    expect((until ?? 0) - (since ?? 0)).toBeGreaterThan(20_000);
    expect((until ?? 0) - (since ?? 0)).toBeLessThan(120_000);
    await plot.locator("svg").waitFor();
    await press("Zoom out");
    await page.waitForURL((url) => !url.search.includes("since"));
  });

  test("makes a rule in the form by the keyboard alone, simulates it, and puts it in force", async () => {
    await goTo("policies/drafts?new=1");
    const { keyboard } = page;
    const type = async (text: string) => {
      await keyboard.press("Control+a");
      await keyboard.type(text);
      await keyboard.press("Tab");
    };
    await page.getByLabel(/^When a signal comes/).focus();
    for (const text of ["PUSHED, DRAFT_*", "facts.branch == 'draft'", "10m"]) await type(text);
    // Past the switch, and what the effect does.
    for (let step = 0; step < 2; step++) await keyboard.press("Tab");
    for (const text of ["DRAFT_SEEN", "branch: facts.branch"]) await type(text);
    expect(await accessibilityFaults(page)).toEqual([]);
    await page.getByRole("button", { name: "Simulate" }).press("Enter");
    await shown(/^\d+ decisions? would differ$/);
    await page.getByRole("button", { name: "Apply" }).press("Enter");
    await page.waitForURL(/\/policies\/drafts$/);
    expect((await client.policy.show("drafts")).policy).toMatchObject({
      when: ["PUSHED", "DRAFT_*"],
      where: "facts.branch == 'draft'",
      cooldown: "10m",
      then: [{ emit: { signal: "DRAFT_SEEN", facts: { branch: "facts.branch" } } }],
    });
  });

  test("tries other thresholds on the samples of a gap by the keyboard alone, and sets them", async () => {
    await goTo("gaps/cpu_bottleneck_gpu-01");
    await shown(/: these are in force\.$/);
    await page.getByRole("slider", { name: /^Raised above/ }).press("ArrowUp");
    await shown(/\(in force: \d+ beyond, raised \d+ times?\)\.$/);
    const before = (await client.scanners()).find(({ category }) => category === "resource_utilization")?.settings;
    await page.getByRole("button", { name: "Set these thresholds" }).press("Enter");
    await page.getByRole("dialog").getByRole("button", { name: "Set these thresholds" }).press("Enter");
    await shown("The thresholds are in force");
    const after = (await client.scanners()).find(({ category }) => category === "resource_utilization")?.settings;
    expect(after?.cpu_percent_above).toBeGreaterThan(Number(before?.cpu_percent_above));
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
    expect(new Set(asked)).toEqual(new Set(["/v1/default/overview"]));
  });
});
