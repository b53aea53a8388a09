import type { Page } from "playwright-core";
import { beforeAll, describe, expect, test } from "vitest";
import type { Client } from "../../../src/client/client.ts";
import { accessibilityFaults, hasBrowser, openDashboard } from "../../harness/browser.ts";
import { type RunningEdge, runEdge } from "../../harness/running-edge.ts";
import { fillCoordination } from "./seed.ts";

/** One edge and one page for all tests of this file, which go from tab to tab as a reader does. */
describe.runIf(hasBrowser)("the view of limits, locks, questions and notes in a browser", () => {
  let edge: RunningEdge;
  let client: Client;
  let page: Page;

  beforeAll(async () => {
    edge = await runEdge();
    client = edge.client();
    await fillCoordination(client);
    page = await openDashboard(edge, "default/coordination", { act: true });
  });

  const shown = (words: string | RegExp) => page.getByText(words).filter({ visible: true }).first().waitFor();
  const button = (name: string | RegExp) => page.getByRole("button", { name }).first();
  const openTab = (name: string) => page.getByRole("link", { name, exact: true }).click();
  const dialog = () => page.getByRole("dialog");
  const listed = () => page.locator(".rows").getByRole("option");
  const rowOf = (name: string) => page.getByRole("row").filter({ hasText: name });

  test("opens and closes a limit for all, with a reason, and shows what is used and which tasks are parked", async () => {
    await rowOf("anthropic").getByText("the plan is used up", { exact: true }).waitFor();
    expect(await rowOf("anthropic").first().textContent()).toMatch(
      /1 of 50 requests.*1 of 10 at a time.*\$0\.50 of \$20/,
    );
    await rowOf("needs-a-model").getByText("the limit anthropic is closed: the plan is used up").waitFor();
    await button("Open limit: anthropic").click();
    await dialog().getByRole("button", { name: "Open limit" }).click();
    await shown("anthropic is open");
    await button("Close limit: anthropic").click();
    await dialog().getByLabel("For how many minutes").fill("soon");
    await dialog().getByRole("button", { name: "Close", exact: true }).last().click();
    await dialog().getByRole("alert").waitFor();
    expect(await accessibilityFaults(page)).toEqual([]);
    await dialog().getByLabel("For how many minutes").fill("30");
    await dialog().getByLabel("Why, for people").fill("the bill");
    await dialog().getByRole("button", { name: "Close", exact: true }).last().click();
    await rowOf("anthropic").getByText("the bill", { exact: true }).waitFor();
    const { state, reason, closed_until } = await client.limits.show("anthropic");
    expect([state, reason]).toEqual(["closed", "the bill"]);
    expect(Math.abs(Date.parse(closed_until ?? "") - Date.now() - 1_800_000)).toBeLessThan(60_000);
  });

  test("shows without a reload that a limit was opened elsewhere", async () => {
    await client.limits.open("anthropic");
    await button("Close limit: anthropic").waitFor();
  });

  test("shows who holds a lock and who waits for it, and gives it to the first of those when it is released", async () => {
    await openTab("Locks");
    const waiter = rowOf("coder/8");
    await waiter.getByText("coder/7 holds tree:/srv/app/**, for fix-7").waitFor();
    const { fence } = (await client.locks.list({ name: "tree:/srv/app/**" })).locks[0] ?? { fence: 0 };
    expect(await rowOf("tree:/srv/app/**").first().textContent()).toContain(`coder/7fix-7${fence}`);
    await button("Release: tree:/srv/app/**").click();
    await dialog().getByRole("button", { name: "Release" }).click();
    await button("Release: tree:/srv/app/src").waitFor();
    const { locks, waits } = await client.locks.list({ name: "tree:/**" });
    expect(locks.map(({ name, owner }) => [name, owner])).toEqual([["tree:/srv/app/src", "coder/8"]]);
    expect(locks[0]?.fence).toBeGreaterThan(fence);
    expect(waits).toEqual([]);
  });

  test("answers a question by the keyboard alone, once, and shows who answered", async () => {
    const { keyboard } = page;
    await keyboard.press("g");
    await keyboard.press("o");
    await page.getByRole("link", { name: "Questions", exact: true }).focus();
    await keyboard.press("Enter");
    await page.getByRole("listbox", { name: "Questions" }).focus();
    await keyboard.press("End");
    await page.waitForURL(/sel=deploy-42/);
    await page.getByLabel("A comment, for the asker").focus();
    await keyboard.type("after lunch");
    await keyboard.press("Tab");
    await keyboard.press("Enter");
    await dialog().getByRole("button", { name: "Answer: yes" }).press("Enter");
    await shown("Answered by");
    expect(await client.questions.show("deploy-42")).toMatchObject({
      state: "answered",
      answer: "yes",
      comment: "after lunch",
      answered_by: { way: "session" },
    });
    expect(await button("Answer: no").count()).toBe(0);
    // Open questions are listed; the one that is over is not.
    await expect.poll(() => listed().count()).toBe(2);
  });

  test("answers with a text of its own where there are no options, and says that another was faster", async () => {
    await listed().last().click();
    await page.getByLabel("Your answer").fill("Amber");
    await button("Answer: name-42").click();
    await client.questions.answer("name-42", "Basil");
    await dialog().getByRole("button", { name: "Answer" }).click();
    await shown(/^▲ Answer: .*(Basil|answered)/);
    expect((await client.questions.show("name-42")).answer).toBe("Basil");
    await page.locator(".toast.failed").getByRole("button", { name: "Dismiss" }).click();
  });

  test("allows what a session asks permission for, and shows what that is", async () => {
    await listed().first().click();
    await shown(/npm publish/);
    await button("Answer: deny: may-i").waitFor();
    await button("Answer: allow: may-i").click();
    await dialog().getByRole("button", { name: "Answer: allow" }).click();
    await shown("Answered by");
    expect(await client.questions.show("may-i")).toMatchObject({ state: "answered", answer: "allow" });
  });

  test("saves a note over the version that was edited alone, and keeps both where another writer was faster", async () => {
    await openTab("Notes");
    await listed().click();
    const value = page.getByLabel("Value (JSON)");
    await value.fill('{"step": 4}');
    await client.notes.put("task/build-17/progress", { step: 9 });
    // The page may have heard of it already: then the button is off, and the page says the same.
    await button("Save").dispatchEvent("click");
    await shown(/has changed it meanwhile/);
    expect((await client.notes.get("task/build-17/progress"))?.value).toEqual({ step: 9 });
    expect(await accessibilityFaults(page)).toEqual([]);
    await button("Keep mine").click();
    await button("Save").click();
    await shown(/is saved, version/);
    expect((await client.notes.get("task/build-17/progress"))?.value).toEqual({ step: 4 });
    await page.getByRole("complementary").getByRole("link", { name: "History" }).click();
    await shown(/"step":9/);
  });

  test("makes a note only where there is none, and deletes one", async () => {
    await page.goto(`${edge.url}/app/default/coordination?tab=notes`);
    await button("New note").click();
    await page.getByLabel("Key", { exact: true }).fill("task/build-17/progress");
    await page.getByLabel("Value (JSON)").fill('{"by": "ops"}');
    await button("Save").click();
    await page.getByRole("alert").filter({ hasText: "has the ETag" }).waitFor();
    await page.getByLabel("Key", { exact: true }).fill("deploy/freeze");
    await button("Save").click();
    await page.waitForURL(/sel=deploy%2Ffreeze/);
    expect((await client.notes.get("deploy/freeze"))?.value).toEqual({ by: "ops" });
    await button("Delete: deploy/freeze").click();
    await dialog().getByRole("button", { name: "Delete" }).click();
    await shown("deploy/freeze is deleted");
    expect(await client.notes.get("deploy/freeze")).toBeUndefined();
  });
});
