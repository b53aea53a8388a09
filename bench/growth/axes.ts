import type { EdgeUnderTest } from "../edge-under-test.ts";
import { postSignals, sendJson } from "../http-client.ts";
import { type BareLink, benchSignal, openLink, pump } from "../link-client.ts";
import { append, gaps, newest, type Probe, status } from "./probes.ts";

/** Something of which an edge may have much. */
export interface Axis {
  readonly name: string;
  readonly points: readonly number[];
  readonly probes: readonly Probe[];
  /** Brings the edge from one point to the next. */
  readonly grow: (edge: EdgeUnderTest, from: number, to: number) => Promise<unknown>;
}

const AT_ONCE = 32;
const OTHER = "Q_BENCH_OTHER";

async function atOnce(from: number, to: number, work: (place: number) => Promise<unknown>): Promise<void> {
  let next = from;
  const lane = async () => {
    while (next < to) await work(next++);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
}

/** @param most - the last point of signals, which decides how long the bench takes */
export const axes = (most: number): readonly Axis[] => [
  {
    name: "signals",
    points: [0, most / 10, most],
    probes: [append, newest, status],
    grow: async (edge, from, to) => {
      const link = await openLink(edge, "growing");
      const first = from + 1;
      await pump(link, {
        producer: "growing.e.local",
        batches: (to - from) / 1_000,
        size: 1_000,
        inFlight: 4,
        name: OTHER,
        first,
      });
      link.close();
    },
  },
  {
    name: "producers",
    points: [0, 10_000, 100_000],
    probes: [append, newest, status],
    grow: (edge, from, to) => growProducers(edge, from, to),
  },
  {
    name: "subscribers",
    points: [1, 100, 1_000],
    probes: [append],
    grow: (edge, from, to) =>
      atOnce(from, to, async (place) => {
        const link: BareLink = await openLink(edge, `subscriber-${place}`);
        link.onSignals = (_, last) => link.send(`{"type":"seen","seq":${last}}`);
        await link.subscribe("Q_BENCH_GROWTH");
      }),
  },
  {
    name: "ecosystems",
    points: [1, 100, 1_000],
    probes: [append, status],
    grow: (edge, from, to) =>
      atOnce(from, to, (place) => sendJson(edge, "POST", `/v1/eco-${place}/signals`, benchSignal(1, OTHER))),
  },
  {
    name: "open_gaps",
    points: [0, 1_000, 5_000],
    probes: [append, gaps, status],
    grow: (edge, from, to) =>
      atOnce(from, to, (place) => {
        const evidence = {
          signal: "OBSERVATION",
          source: "bench",
          facts: { zooid: `grown-${place}`, cpu_percent: 99 },
        };
        return postSignals(edge, JSON.stringify(Array.from({ length: 5 }, () => evidence)));
      }),
  },
  {
    name: "rules",
    points: [0, 100, 1_000],
    probes: [append, status],
    grow: (edge, from, to) =>
      atOnce(from, to, (place) =>
        sendJson(
          edge,
          "PUT",
          `/v1/default/policies/grown-${place}`,
          JSON.stringify({ when: `Q_BENCH_RULE_${place}`, then: [{ emit: { signal: "Q_OUT", facts: {} } }] }),
        ),
      ),
  },
];

/** A signal of each: a frame names one producer. */
async function growProducers(edge: EdgeUnderTest, from: number, to: number): Promise<void> {
  const link = await openLink(edge, "growing");
  let sent = from;
  let answered = from;
  const send = () => {
    const producer = `growing.${sent.toString(36)}.local`;
    link.send(
      `{"type":"append","batch":${sent},"producer":"${producer}","first":1,"signals":[${benchSignal(sent, OTHER)}]}`,
    );
    sent++;
  };
  await new Promise<void>((resolve, reject) => {
    link.onFrame = (frame) => {
      if (frame.type === "gather") return;
      if (frame.type !== "appended") return reject(new Error(`the edge answered ${JSON.stringify(frame)}`));
      if (++answered === to) resolve();
      else if (sent < to) send();
    };
    for (let lane = 0; lane < AT_ONCE && sent < to; lane++) send();
  });
  link.close();
}
