import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Page } from "playwright-core";
import { beforeAll, describe, expect, it } from "vitest";
import { accessibilityFaults, hasBrowser, openDashboard, openForeignTab, openTab } from "../../harness/browser.ts";
import { atEnd } from "../../harness/cleanup.ts";
import { type RunningEdge, runEdge } from "../../harness/running-edge.ts";

let edge: RunningEdge;
beforeAll(async () => {
  edge = await runEdge();
});

/** How the secrets of tokens, sessions and codes begin. */
const SECRET = /gn[gsc]_/;

/** What a script in the page finds of earlier ones. */
const readableBy = (page: Page) =>
  page.evaluate("document.cookie + JSON.stringify({ ...localStorage, ...sessionStorage })");

/** A page of the same machine on another port: browsers send it the edge's cookies, and send them with its requests. */
async function neighbour(html: string): Promise<string> {
  const server = createServer((_request, response) => {
    response.writeHead(200, { "Content-Type": "text/html" });
    response.end(`<!doctype html><title>neighbour</title>${html}`);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  atEnd(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

describe.skipIf(!hasBrowser)("signing in, in Chromium", () => {
  it("by ganglion open leads to the dashboard, with a cookie that no script reads and no code in the address", async () => {
    const page = await openDashboard(edge);
    expect(page.url()).toBe(`${edge.url}/app/`);
    const { port } = new URL(edge.url);
    expect(await page.context().cookies()).toEqual([
      expect.objectContaining({ name: `ganglion-${port}`, httpOnly: true, sameSite: "Strict", path: "/" }),
    ]);
    expect(await readableBy(page)).not.toMatch(SECRET);
    await page.goBack();
    expect(page.url()).not.toContain("#");
  });

  it("by a code that was used already asks for a token, which begins a session once pasted", async () => {
    const { path } = await edge.client().sessions.createCode(false);
    const first = await openTab(edge);
    await first.goto(`${edge.url}${path}`);
    await first.waitForURL(`${edge.url}/app/`);
    const second = await openTab(edge);
    await second.goto(`${edge.url}${path}`);
    expect(await second.getByRole("alert").textContent()).toContain("The code was used already");
    expect(second.url()).toBe(`${edge.url}/login`);
    await second.getByRole("textbox", { name: "Token" }).fill(edge.token);
    await second.getByRole("button", { name: "Sign in" }).click();
    await second.waitForURL(`${edge.url}/app/`);
    expect(await readableBy(second)).not.toMatch(SECRET);
  });

  it("by the keyboard alone, to the page that asked for it; a wrong token is refused in words", async () => {
    const page = await openTab(edge, { viewport: { width: 320, height: 600 }, colorScheme: "dark" });
    await page.goto(`${edge.url}/login?next=%2Fapp%2Fgaps%3Fopen%3D1`);
    await page.keyboard.type("gng_wrong");
    await page.keyboard.press("Enter");
    await page.getByRole("alert").filter({ hasText: "did not accept the token" }).waitFor();
    await page.keyboard.type(edge.token);
    await page.keyboard.press("Tab");
    await page.keyboard.press("Space");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await page.waitForURL(`${edge.url}/app/gaps?open=1`);
    const sessions = await edge.client().sessions.list();
    expect(sessions[0]?.act).toBe(true);
  });

  it("is a page without faults of accessibility, light and dark, that fits 320 pixels", async () => {
    for (const colorScheme of ["light", "dark"] as const) {
      const page = await openTab(edge, { viewport: { width: 320, height: 600 }, colorScheme });
      await page.goto(`${edge.url}/login`);
      await page.getByRole("textbox", { name: "Token" }).waitFor();
      expect(await accessibilityFaults(page)).toEqual([]);
      expect(await page.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(320);
    }
  });
});

describe.skipIf(!hasBrowser)("the dashboard, in Chromium", () => {
  it("is where / leads", async () => {
    const page = await openTab(edge);
    await page.goto(edge.url);
    expect(new URL(page.url()).pathname).toMatch(/^\/(app\/|login)$/);
  });

  it("loads the page again, once, where a part of an older build is gone", async () => {
    const page = await openDashboard(edge);
    const lose = `window.dispatchEvent(new Event("vite:preloadError", { cancelable: true }))`;
    await Promise.all([page.waitForEvent("load"), page.evaluate(`setTimeout(() => ${lose})`)]);
    // Now the error stands.
    expect(await page.evaluate(lose)).toBe(true);
  });

  it("changes nothing for a page of another port, shows in no frame of it, and opens no WebSocket to it", async () => {
    const own = await openDashboard(edge, "", { act: true });
    const target = `${edge.url}/v1/default/signals`;
    const forged = JSON.stringify({ signal: "FORGED", source: "neighbour", facts: {} });
    const page = await openForeignTab();
    await page.context().addCookies(await own.context().cookies());
    await page.goto(
      await neighbour(`<iframe name="answer"></iframe><form method="post" enctype="text/plain" action="${target}" target="answer">
        <input name='${forged.slice(0, -1)},"id":"' value='"}'></form>`),
    );

    const posted = page.waitForResponse(target);
    await page.evaluate("document.forms[0].submit()");
    const answer = await posted;
    // The browser sends the cookie: ports of one machine are the same site.
    expect((await answer.request().allHeaders()).cookie).toContain("ganglion-");
    expect([answer.status(), (await answer.json()).type]).toEqual([403, "/problems/foreign-page"]);

    const fetched = page.waitForResponse(target);
    const text = { method: "POST", mode: "no-cors", credentials: "include", body: forged };
    await page.evaluate(`fetch("${target}", ${JSON.stringify(text)}).catch(() => undefined)`);
    expect((await fetched).status()).toBe(403);
    const read = `fetch("${target}", { credentials: "include" }).then(() => "read", () => "refused")`;
    expect(await page.evaluate(read)).toBe("refused");

    const socket = `new Promise((resolve) => {
      const socket = new WebSocket("${target.replace("http", "ws")}/stream");
      socket.onopen = () => resolve("open");
      socket.onerror = () => resolve("refused");
    })`;
    expect(await page.evaluate(socket)).toBe("refused");

    const framed = page.waitForResponse(`${edge.url}/app/`);
    await page.evaluate(`document.querySelector("iframe").src = "${edge.url}/app/"`);
    await framed;
    await expect.poll(() => page.frames().map((frame) => frame.url())).toContain("chrome-error://chromewebdata/");

    expect((await edge.client().signals({ signals: ["FORGED"] })).signals).toEqual([]);
  });
});
