import { existsSync } from "node:fs";
import { chromium, type Page } from "playwright-core";
import { type Client, createClient } from "../src/client/client.ts";
import type { EdgeUnderTest } from "./edge-under-test.ts";
import { percentile, type Report, rounded } from "./figure.ts";
import { BusyFleet } from "./fleet-page.ts";
import { benchSignal, openLink, pump } from "./link-client.ts";

/** `GANGLION_BENCH_SIGNALS`: how many the log holds, default a million. */
const SIGNALS = Number(process.env.GANGLION_BENCH_SIGNALS) || 1_000_000;
const EFFECTS = 1_000;
const A_SECOND = 1_000;
const BATCHES_A_SECOND = 20;
const SECONDS = 10;
const NAME = "Q_BENCH_TICK";

/** What somebody waits for who looks: a long chain, a long log, and a page while many signals come. In a real Chromium. */
export async function dashboard(edge: EdgeUnderTest, report: Report): Promise<void> {
  const executablePath = [process.env.GANGLION_CHROMIUM ?? "", "/usr/bin/chromium", "/usr/bin/google-chrome"].find(
    existsSync,
  );
  if (executablePath === undefined) {
    console.error("bench dashboard: no Chromium is installed (GANGLION_CHROMIUM names one elsewhere)");
    return;
  }
  const link = await openLink(edge, "publisher");
  await pump(link, { producer: "publisher.a.local", batches: SIGNALS / 1_000, size: 1_000, inFlight: 4, name: NAME });
  const client = createClient({ url: edge.url, token: edge.token });
  const root = await emitChain(client);

  const browser = await chromium.launch({
    executablePath,
    args: ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--enable-precise-memory-info"],
  });
  try {
    const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
    const { path } = await client.sessions.createCode(false);
    await page.goto(`${edge.url}${path}`);
    await page.waitForURL(`${edge.url}/app/`);
    const opened = async (place: string, words: string | RegExp) => {
      const beganMs = performance.now();
      await page.goto(`${edge.url}/app/default/${place}`);
      await page.getByText(words).filter({ visible: true }).first().waitFor();
      return performance.now() - beganMs;
    };
    const say = (figure: string, value: number, unit: string, at_most: number, more: object = {}) =>
      report({ bench: "dashboard", figure, value: rounded(value), unit, target: { at_most }, ...more });
    const empty = await opened("policies", "Policies");
    // The first look at any chain since the edge was started, and the second one.
    const first = await opened(`chain/${root}`, /1,?001 steps/);
    const again = await opened(`chain/${root}`, /1,?001 steps/);
    const beganMs = performance.now();
    await client.lineage(root);
    const compared_with = {
      ms_of_a_short_page: rounded(empty),
      ms_of_the_page_again: rounded(again),
      ms_of_the_call_again: rounded(performance.now() - beganMs),
    };
    say("open_chain", first, "ms", 1_000, { effects: EFFECTS, compared_with });
    const short = { ms_of_a_short_page: rounded(empty) };
    say("open_live", await opened("live", /200 signals shown/), "ms", 1_000, {
      signals: SIGNALS,
      compared_with: short,
    });

    await measureFrames(page);
    await flow(link);
    // The page has all of them, or what it held for a time has left the screen: it did follow.
    await page
      .getByText(/older signals? left the screen|[1-9],?\d{3} signals shown/)
      .first()
      .waitFor();
    const { frames, heapBytes } = await framesOf(page);
    const more = { signals_per_second: A_SECOND, seconds: SECONDS, p50: rounded(percentile(frames, 0.5)) };
    say("frame_p99", percentile(frames, 0.99), "ms", 100, more);
    say("frame_longest", Math.max(...frames), "ms", 100, more);
    say("heap_of_the_page", heapBytes / 1e6, "MB", 150, more);
    await lookAtFleet(edge, page, opened, say);
  } finally {
    await browser.close();
    link.close();
  }
}

type Say = (figure: string, value: number, unit: string, at_most: number, more?: object) => void;

/** A page that shows a thousand processes while they change, and what it asks the edge for meanwhile. */
async function lookAtFleet(
  edge: EdgeUnderTest,
  page: Page,
  opened: (place: string, words: string | RegExp) => Promise<number>,
  say: Say,
): Promise<void> {
  const fleet = await BusyFleet.link(edge);
  const more = { processes: fleet.processes };
  try {
    await opened("fleet", /task 0 of host 49/);
    say("open_fleet", await opened("fleet", /task 0 of host 49/), "ms", 1_000, more);
    let requests = 0;
    page.on("request", () => requests++);
    await measureFrames(page);
    const changing = setInterval(() => fleet.tick(), 1_000);
    await page.getByText(`task ${SECONDS} of host`).first().waitFor();
    clearInterval(changing);
    const { frames, heapBytes } = await framesOf(page);
    say("fleet_frame_p99", percentile(frames, 0.99), "ms", 100, { ...more, p50: rounded(percentile(frames, 0.5)) });
    say("fleet_heap_of_the_page", heapBytes / 1e6, "MB", 150, more);
    const seconds = frames.reduce((sum, frame) => sum + frame, 0) / 1_000;
    say("fleet_requests", requests / seconds, "1/s", 1, { ...more, seconds: rounded(seconds) });
  } finally {
    fleet.close();
  }
}

/** A signal and a thousand effects, ten deep. @returns its id */
async function emitChain(client: Client): Promise<string> {
  const [root = ""] = (await client.emit({ signal: "Q_BENCH_ROOT", source: "bench", facts: {} })).ids;
  let above = Array.from({ length: EFFECTS / 10 }, () => root);
  for (let deep = 0; deep < 10; deep++) {
    const effects = above.map((cause) => ({
      signal: "Q_BENCH_EFFECT",
      source: `bench/${deep}`,
      facts: { deep },
      cause,
    }));
    above = [...(await client.emit(effects)).ids];
  }
  return root;
}

/** Many signals a second, evenly. */
async function flow(link: Awaited<ReturnType<typeof openLink>>): Promise<void> {
  const size = A_SECOND / BATCHES_A_SECOND;
  let batch = 0;
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      const signals = Array.from({ length: size }, (_, place) => benchSignal(place, NAME)).join(",");
      const first = batch * size + 1;
      link.send(
        `{"type":"append","batch":${batch},"producer":"publisher.b.local","first":${first},"signals":[${signals}]}`,
      );
      if (++batch < SECONDS * BATCHES_A_SECOND) return;
      clearInterval(timer);
      resolve();
    }, 1_000 / BATCHES_A_SECOND);
  });
}

/** Has the page note the time between any two of its frames. */
function measureFrames(page: Page): Promise<unknown> {
  return page.evaluate(`(() => {
    let last = performance.now();
    window.benchFrames = [];
    const next = (now) => { window.benchFrames.push(now - last); last = now; requestAnimationFrame(next); };
    requestAnimationFrame(next);
  })()`);
}

async function framesOf(page: Page): Promise<{ readonly frames: readonly number[]; readonly heapBytes: number }> {
  const [frames, heapBytes] = (await page.evaluate("[window.benchFrames, performance.memory.usedJSHeapSize]")) as [
    number[],
    number,
  ];
  return { frames, heapBytes };
}
