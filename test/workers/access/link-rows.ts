import { expect } from "vitest";
import type { AgentFrame } from "../../../src/core/wire/link-frames.ts";
import { registryOf } from "../hosts/registry-under-test.ts";
import { aSignal, deadLettersOf, logOf } from "../log-under-test.ts";
import { type Frame, openSocket, type SocketEnd } from "./socket-end.ts";

/**
 * `taken`, `ignored`, `dead letter`, `refused <kind of problem>`, or `closed <code>`. An answer that the effect contradicts
 * is another text, which nothing expects.
 */
export type Outcome = string;

export interface Asking {
  readonly end: SocketEnd;
  readonly ecosystem: string;
  readonly host: string;
  readonly expected: Outcome;
}

export interface Row {
  readonly type: AgentFrame["type"];
  /** What has to have happened before the frame is sent; what it returns, `ask` gets. */
  readonly before?: (asking: Asking) => Promise<Prepared>;
  /** Sends the frame and says what became of it, by the answer and by the effect. */
  readonly ask: (asking: Asking, prepared: Prepared) => Promise<Outcome>;
}

interface Prepared {
  readonly request?: string;
  readonly last?: number;
  readonly answers?: Promise<{ readonly answers: ReadonlyMap<string, string> }>;
}

/** A host to which no caller of the matrix is linked. */
export const ELSEWHERE = "elsewhere";
const BARRIER = 1_000_000;
const UNANSWERED_MS = 50;
let marks = 0;

const kindOf = (frame: Frame) => `refused ${frame.problem?.type.replace("/problems/", "")}`;
const isRefusal = (frame: Frame) => frame.type === "refused" && frame.batch !== BARRIER;

/** What the answer says, checked against the effect. */
const judge = (answer: Outcome, effect: boolean): Outcome =>
  effect === (answer === "taken") ? answer : `${answer}, ${effect ? "although it had an effect" : "without an effect"}`;

/** Sends a frame that has no answer of its own, and waits until it was handled. */
async function unanswered({ end }: Asking, frame: object): Promise<Outcome> {
  end.send(frame);
  // Frames are handled in order, and this one is refused to everybody.
  end.send({ type: "append", batch: BARRIER, producer: "nobody.0.0", first: 1, signals: [{}] });
  const handled = await end.first(({ batch }) => batch === BARRIER);
  if (typeof handled === "number") return `closed ${handled}`;
  const refusal = end.frames.find(isRefusal);
  return refusal === undefined ? "taken" : kindOf(refusal);
}

const takenOrIgnored = (answer: Outcome, effect: boolean): Outcome =>
  answer === "taken" && !effect ? "ignored" : judge(answer, effect);

function append(source: (host: string) => string, producerOf = (host: string) => `${host}.e1.bus`): Row["ask"] {
  return async ({ end, ecosystem, host }) => {
    const producer = producerOf(host);
    const first = ++marks;
    end.send({
      type: "append",
      batch: 1,
      producer,
      first,
      signals: [{ signal: "X", source: source(host), facts: {} }],
    });
    const answer = await end.first(({ batch }) => batch === 1);
    const id = `${producer}.${first}`;
    const stored = (await logOf(ecosystem).find(id)) !== null;
    const dead = (await deadLettersOf(ecosystem).find(id)) !== null;
    if (typeof answer === "number") return judge(`closed ${answer}`, stored || dead);
    if (answer.type === "refused") return judge(kindOf(answer), stored || dead);
    if (answer.rejected === undefined) return judge("taken", stored);
    return dead && !stored ? "dead letter" : judge("a rejected signal", true);
  };
}

function letters(idOf: (host: string, mark: number) => string): Row["ask"] {
  return async ({ end, ecosystem, host }) => {
    const id = idOf(host, ++marks);
    end.send({ type: "letters", batch: 1, letters: [{ id, kind: "intent", error: "no", daemon: "agent/intents" }] });
    const answer = await end.first(
      ({ type, batch, letters }) => (type === "lettered" && batch === 1) || (type === "refused" && letters === 1),
    );
    const dead = (await deadLettersOf(ecosystem).find(id)) !== null;
    if (typeof answer === "number") return judge(`closed ${answer}`, dead);
    return judge(answer.type === "refused" ? kindOf(answer) : "taken", dead);
  };
}

/** Everything of this host that was sent before is in the registry when this resolves. */
async function untilReported(ecosystem: string): Promise<void> {
  const witness = await openSocket(`/v1/${ecosystem}/link?host=witness`, "Bearer the-administrator");
  if (typeof witness === "number") throw new Error(`the witness was refused: ${witness}`);
  const version = `v${++marks}`;
  witness.send({ type: "status", version });
  await expect.poll(async () => (await registryOf(ecosystem).agent("witness"))?.version).toBe(version);
  witness.socket.close();
  await witness.closed;
}

async function marked({ end, ecosystem }: Asking): Promise<Prepared> {
  const signal = `Q_MARK_${++marks}`;
  end.send({ type: "subscribe", after: null, signals: [signal] });
  await end.first(({ type }) => type === "signals");
  await logOf(ecosystem).append({ owner: "test", signals: [aSignal(signal, {})] });
  const frame = await end.first(({ signals }) => signals?.some((each) => each.signal === signal) === true);
  if (typeof frame === "number" || frame.last === undefined) throw new Error("the subscription was not served");
  expect((await logOf(ecosystem).status()).bytes_in_flight).toBeGreaterThan(0);
  return { last: frame.last };
}

/** Each thing that a frame of an agent may try. */
export const ROWS = {
  append: { type: "append", ask: append(() => "jobs") },
  "append of the host's own agent": { type: "append", ask: append((host) => `metrics/${host}/gpu.jsonl`) },
  "append in another host's name": {
    type: "append",
    ask: append(
      () => "jobs",
      () => `${ELSEWHERE}.e1.bus`,
    ),
  },
  "append in the edge's name": {
    type: "append",
    ask: append(
      () => "jobs",
      () => "ganglion.policy.abcdef",
    ),
  },
  "append from the edge's source": { type: "append", ask: append(() => "ganglion/policy") },
  letters: { type: "letters", ask: letters((host, mark) => `${host}.intent.${mark}`) },
  "letters in another host's name": { type: "letters", ask: letters((_, mark) => `${ELSEWHERE}.intent.${mark}`) },
  subscribe: {
    type: "subscribe",
    async ask({ end, ecosystem }) {
      const signal = `Q_MARK_${++marks}`;
      end.send({ type: "subscribe", after: null, signals: [signal] });
      const answer = await end.first((frame) => frame.type === "signals" || isRefusal(frame));
      await logOf(ecosystem).append({ owner: "test", signals: [aSignal(signal, {})] });
      const isServed = ({ signals }: Frame) => signals?.some((each) => each.signal === signal) === true;
      if (typeof answer === "number") return judge(`closed ${answer}`, end.frames.some(isServed));
      if (answer.type === "refused") return judge(kindOf(answer), end.frames.some(isServed));
      return judge("taken", typeof (await end.first(isServed)) !== "number");
    },
  },
  seen: {
    type: "seen",
    before: marked,
    async ask(asking, { last }) {
      const answer = await unanswered(asking, { type: "seen", seq: last });
      if (answer.startsWith("closed")) return answer;
      return takenOrIgnored(answer, (await logOf(asking.ecosystem).status()).bytes_in_flight === 0);
    },
  },
  "seen of what was not sent": {
    type: "seen",
    before: marked,
    ask: async (asking) => unanswered(asking, { type: "seen", seq: 9e15 }),
  },
  facts: {
    type: "facts",
    async before({ end, ecosystem, expected }) {
      // Who is asked and never answers is waited for: no longer than the matrix needs.
      const answers = logOf(ecosystem).gather(["mark"], expected === "taken" ? 30_000 : UNANSWERED_MS);
      const asked = await Promise.race([end.first(({ type }) => type === "gather"), answers]);
      return { answers, request: typeof asked === "object" && "request" in asked ? String(asked.request) : "none" };
    },
    async ask(asking, { request, answers }) {
      const answer = await unanswered(asking, { type: "facts", request, facts: { mark: asking.host } });
      const given = (await answers)?.answers.get(asking.host);
      return takenOrIgnored(answer, given?.includes(asking.host) === true);
    },
  },
  "facts that nobody asked for": {
    type: "facts",
    ask: async (asking) => {
      const answers = logOf(asking.ecosystem).gather(["mark"], UNANSWERED_MS);
      const answer = await unanswered(asking, { type: "facts", request: "guessed", facts: { mark: asking.host } });
      return takenOrIgnored(answer, (await answers).answers.has(asking.host));
    },
  },
  status: {
    type: "status",
    async ask(asking) {
      const version = `v${++marks}`;
      const answer = await unanswered(asking, { type: "status", version });
      await untilReported(asking.ecosystem);
      return takenOrIgnored(answer, (await registryOf(asking.ecosystem).agent(asking.host))?.version === version);
    },
  },
} as const satisfies Record<string, Row>;

export type RowName = keyof typeof ROWS;
export const ROW_NAMES = Object.keys(ROWS) as RowName[];

/** What becomes of a row's frame on a link that may send it. */
export const ON_A_LINK: Readonly<Partial<Record<RowName, Outcome>>> = {
  "append in another host's name": "refused foreign-producer",
  "append in the edge's name": "refused foreign-producer",
  "append from the edge's source": "dead letter",
  "letters in another host's name": "refused foreign-letter",
  "seen of what was not sent": "closed 1002",
  "facts that nobody asked for": "ignored",
};

/** What becomes of it on a stream, which only reads. */
export const onAStream = (name: RowName): Outcome => {
  const { type } = ROWS[name];
  if (name === "seen of what was not sent") return "closed 1002";
  return type === "seen" || type === "subscribe" ? "taken" : "refused read-only";
};
