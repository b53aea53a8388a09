import { expect, test } from "vitest";
import { fuzz, type Target } from "./fuzz.ts";

// `npm run fuzz` is the long run.
const seed = Number(process.env.GANGLION_SEED ?? 20_271);
const inputs = Number(process.env.GANGLION_INPUTS ?? 800);
const lanes = Number(process.env.GANGLION_LANES ?? 8);
const minutes = process.env.GANGLION_MINUTES;
const targets = (process.env.GANGLION_TARGETS ?? "http,frames").split(",") as Target[];
const directory = process.env.GANGLION_FINDINGS;

/** A short run says nothing about growth: the runtime is still filling its caches. */
const GROWTH_FROM_MINUTES = 20;
/** Share of the requests that may find no responder, or an ecosystem that is being copied. */
const MOST_TURNED_AWAY = 0.05;

test(`requests and frames made from the edge's own schemas, valid and spoiled, bring it to no error, hang or growth (seed ${seed})`, async () => {
  const outcome = await fuzz({
    seed,
    targets,
    lanes,
    inputs: minutes === undefined ? inputs : Number.POSITIVE_INFINITY,
    ...(minutes === undefined ? {} : { forMs: Number(minutes) * 60_000, healthyMs: 1_000 }),
    ...(directory === undefined ? {} : { directory }),
    say: (line) => console.log(line),
  });
  const { findings, ...counts } = outcome;
  console.log(JSON.stringify(counts));
  for (const { what, seen, count } of findings) console.log(`FOUND ${count} times: ${what}\n  ${seen.slice(0, 300)}`);
  expect(findings.map(({ what }) => what)).toEqual([]);
  if (targets.includes("http")) expect(outcome.requests).toBeGreaterThan(0);
  // An edge that turns most requests away at its door is not tried.
  expect(outcome.statuses["503"] ?? 0).toBeLessThanOrEqual(outcome.requests * MOST_TURNED_AWAY);
  if (targets.includes("frames")) expect(outcome.frames).toBeGreaterThan(0);
  if (Number(minutes ?? 0) >= GROWTH_FROM_MINUTES) expect(outcome.memory.now).toBeLessThan(outcome.memory.then * 1.2);
}, 7_200_000);
