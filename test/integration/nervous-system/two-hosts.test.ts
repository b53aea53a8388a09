import { expect, test } from "vitest";
import { runAgent } from "../../harness/running-agent.ts";
import { type RunningEdge, runEdge } from "../../harness/running-edge.ts";
import { within } from "../../harness/until.ts";
import { connectPublisher, connectSubscriber, freeEndpoints } from "../bus/bus-parts.ts";

async function hostWithBus(edge: RunningEdge, host: string) {
  const { xsub, xpub } = await freeEndpoints();
  const agent = await runAgent(edge, { host, sources: ["bus"], env: { KLR_CHEM_XSUB: xsub, KLR_CHEM_XPUB: xpub } });
  await agent.linked();
  const [publisher, heard] = [await connectPublisher(xsub), connectSubscriber(xpub)];
  await heard.hears(publisher);
  return { agent, publisher, heard };
}

test("what is said on one host's bus is heard on the other's, once, and not again on its own", async () => {
  const edge = await runEdge();
  const [a, b] = await Promise.all([hostWithBus(edge, "host-a"), hostWithBus(edge, "host-b")]);
  const say = (publisher: typeof a.publisher, n: number, from: string) =>
    publisher.send(["Q_WORD_SAID", JSON.stringify({ signal: "Q_WORD_SAID", source: from, facts: { n, from } })]);
  const count = 200;
  for (let n = 1; n <= count; n++) {
    await say(a.publisher, n, "a");
    await say(b.publisher, n, "b");
  }
  const from = (frames: string[][], host: string) =>
    frames
      .map((frame) => JSON.parse(frame.at(-1) ?? "{}") as { id?: string; facts: { n: number; from: string } })
      .filter(({ facts }) => facts.from === host);
  await within(
    a.heard.when((frames) => from(frames, "b").length >= count),
    "host a to hear everything of host b",
  );
  await within(
    b.heard.when((frames) => from(frames, "a").length >= count),
    "host b to hear everything of host a",
  );

  // A last word each way, which arrives after anything that might still come twice.
  await say(a.publisher, count + 1, "a");
  await say(b.publisher, count + 1, "b");
  await within(
    a.heard.when((frames) => from(frames, "b").some(({ facts }) => facts.n > count)),
    "the last word of b",
  );
  await within(
    b.heard.when((frames) => from(frames, "a").some(({ facts }) => facts.n > count)),
    "the last word of a",
  );

  const all = Array.from({ length: count + 1 }, (_, n) => n + 1);
  expect(from(b.heard.frames, "a").map(({ facts }) => facts.n)).toEqual(all);
  expect(from(a.heard.frames, "b").map(({ facts }) => facts.n)).toEqual(all);
  // On its own bus a word is heard as it was said, without an id of the log, and not a second time.
  const own = from(a.heard.frames, "a");
  expect(own.filter(({ id }) => id !== undefined)).toEqual([]);
  expect(own.map(({ facts }) => facts.n)).toEqual(all);
  for (const { heard, publisher } of [a, b]) {
    heard.close();
    publisher.close();
  }
});
