import { existsSync } from "node:fs";
import axe from "axe-core";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { afterEachTest, atEnd } from "./cleanup.ts";
import type { RunningEdge } from "./running-edge.ts";

/** Debian's Chromium, or the one that the variable names. */
const CHROMIUM = [process.env.GANGLION_CHROMIUM ?? "", "/usr/bin/chromium", "/usr/bin/google-chrome"].find(existsSync);

/** Without Chromium the tests that need it are skipped, and say so. `.ci/run` installs it. */
export const hasBrowser = CHROMIUM !== undefined;

/** What pages did that no page of the dashboard may do. Each test ends with this list empty. */
const faults: string[] = [];

afterEachTest(() => {
  const found = faults.splice(0);
  if (found.length > 0) throw new Error(`pages of the dashboard did what they must not:\n${found.join("\n")}`);
});

let browser: Promise<Browser> | undefined;

/** One Chromium for the tests of a file. */
function launched(): Promise<Browser> {
  browser ??= chromium
    .launch({ executablePath: CHROMIUM ?? "", args: ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"] })
    .then((started) => {
      atEnd(() => {
        browser = undefined;
        return started.close();
      });
      return started;
    });
  return browser;
}

/** Begins a line of the console by which a page tells of a violation. */
const VIOLATED = "securitypolicyviolation:";
const TELL_VIOLATIONS = `document.addEventListener("securitypolicyviolation", (event) =>
  console.error("${VIOLATED}", event.effectiveDirective, event.blockedURI, event.sourceFile, event.lineNumber));`;

/**
 * A tab of a browser that knows nothing yet. A violation of the pages' policy, a request to another origin than the edge's, an
 * error that nobody caught and an error in the console fail the test; that an answer is an error is none.
 *
 * @param settings - such as `viewport`, `colorScheme` and `reducedMotion`
 */
export async function openTab(edge: Pick<RunningEdge, "url">, settings: BrowserContextOptions = {}): Promise<Page> {
  const page = await openForeignTab(settings);
  const context = page.context();
  await context.addInitScript(TELL_VIOLATIONS);
  context.on("request", (request) => {
    const { origin, protocol } = new URL(request.url());
    if (protocol !== "data:" && protocol !== "blob:" && origin !== edge.url) faults.push(`request to ${request.url()}`);
  });
  context.on("weberror", (error) => faults.push(`error that nobody caught: ${String(error.error())}`));
  context.on("console", (message) => {
    if (message.type() === "error" && !message.text().startsWith("Failed to load resource"))
      faults.push(message.text());
  });
  return page;
}

/** A tab for pages that are not the dashboard's: they may do what they like. */
export async function openForeignTab(settings: BrowserContextOptions = {}): Promise<Page> {
  const context = await (await launched()).newContext(settings);
  atEnd(() => context.close());
  return context.newPage();
}

export interface DashboardSettings extends BrowserContextOptions {
  /** Whether the session may change things; default: it only reads. */
  readonly act?: boolean;
}

/** A page of the dashboard in a tab of its own, signed in as `ganglion open` does. @param path - below `/app/` */
export async function openDashboard(
  edge: Pick<RunningEdge, "url" | "client">,
  path = "",
  { act = false, ...settings }: DashboardSettings = {},
): Promise<Page> {
  const page = await openTab(edge, settings);
  const code = await edge.client().sessions.createCode(act);
  await page.goto(`${edge.url}${code.path}`);
  await page.waitForURL(`${edge.url}/app/`);
  if (path !== "") await page.goto(`${edge.url}/app/${path}`);
  return page;
}

/**
 * What is wrong with a page for people who cannot see it, or use no mouse.
 *
 * @param rules - of axe; default: all
 */
export async function accessibilityFaults(page: Page, rules?: readonly string[]): Promise<string[]> {
  if (!(await page.evaluate(`"axe" in window`))) await page.evaluate(axe.source);
  const options = { resultTypes: ["violations"], ...(rules !== undefined && { runOnly: rules }) };
  const found = await page.evaluate(
    `axe.run(document, ${JSON.stringify(options)}).then(({ violations }) => violations.map(({ id, nodes }) =>
       id + ": " + nodes.map(({ target }) => target.join(" ")).join(", ")))`,
  );
  return found as string[];
}
