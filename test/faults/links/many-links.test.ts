import { expect, test } from "vitest";
import { manyLinks } from "./many-links.ts";

// `npm run relays` is the long run.
const links = Number(process.env.GANGLION_LINKS ?? 130);

test(`${links} links of one ecosystem: most are held by relays, each signal of theirs is in the log once, and a signal to all reaches each once`, async () => {
  const outcome = await manyLinks({ links, say: (line) => console.log(line) });
  console.log(
    JSON.stringify({ links, ...outcome, appended: outcome.appended.length, received: outcome.received.length }),
  );
  const hosts = Array.from({ length: links }, (_, n) => `host-${n}`);
  expect(outcome.appended.toSorted()).toEqual(hosts.toSorted());
  expect(outcome.received).toEqual(hosts.map(() => 1));
  expect(outcome.atLog).toBe(Math.min(links, 50));
  // Of the links of relays, many come in one call.
  const relays = Math.ceil(Math.max(0, links - 50) / 64);
  expect(outcome.appending.signal_log.requests).toBeLessThan(20 + (relays * (links - 50)) / 16);
}, 1_800_000);
