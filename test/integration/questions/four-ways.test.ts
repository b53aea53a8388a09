import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { createClient } from "../../../src/client/client.ts";
import { atEnd } from "../../harness/cleanup.ts";
import { type RunningEdge, runEdge } from "../../harness/running-edge.ts";
import { start } from "../cli/ganglion-process.ts";
import { answerOf, connect } from "../mcp/session-client.ts";

/** `GANGLION_QUESTIONS=100 npx vitest run test/integration/questions` asks more. */
const QUESTIONS = Number(process.env.GANGLION_QUESTIONS ?? 40);
const WAYS = ["http", "command", "link", "model"] as const;
/** The edge is killed after so many answers, again and again. */
const KILLED_EACH = 10;

/** Takes messages of the edge. @returns the links in them, by question */
async function chat(): Promise<{ url: string; links: Map<string, string> }> {
  const links = new Map<string, string>();
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const { data } = JSON.parse(Buffer.concat(chunks).toString()) as { data: { question_id: string; link?: string } };
      if (data.link !== undefined) links.set(data.question_id, data.link);
      response.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  atEnd(() => void server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, links };
}

/** Tries until the edge, which may be away, says yes or no. */
async function through<Answer>(attempt: () => Promise<Answer>): Promise<Answer> {
  for (let left = 60; ; left--) {
    try {
      return await attempt();
    } catch (error) {
      if (left === 0 || (error instanceof Error && error.message.includes("was refused"))) throw error;
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
  }
}

test("questions are answered over HTTP, the command, links and models, and each is consumed once by a parked task, while the edge is killed", async () => {
  let edge: RunningEdge = await runEdge({ env: { WEBHOOKS_ALLOW_PRIVATE: "true" } });
  const { url, token, stateDir } = edge;
  const client = createClient({ url, token, retry: { retries: 60, maxDelayMs: 500 } });
  const { links, url: chatUrl } = await chat();
  await client.webhooks.put("chat", { url: chatUrl, questions: ["*"] });
  const again = async () => {
    await edge.process.killGroup();
    edge = await runEdge({ stateDir, port: Number(new URL(url).port), env: { WEBHOOKS_ALLOW_PRIVATE: "true" } });
  };
  const post = (path: string, body: object, headers: Record<string, string> = {}) =>
    fetch(`${url}/v1/default${path}`, {
      method: "POST",
      body: JSON.stringify(body),
      headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json", ...headers },
    });

  // A task for each question, parked for its answer.
  const ids = Array.from({ length: QUESTIONS }, (_, number) => `q${number}`);
  await client.queues.putEach(
    "work",
    ids.map((id) => ({ task_id: id, recipient: "coder", type: "DEPLOY", payload: {}, max_attempts: 1 })),
  );
  interface Leased {
    readonly task_id: string;
    readonly lease_id: string;
    readonly attempt: number;
    readonly answers?: readonly { question: string; answer: string | null }[];
  }
  const lease = async (waitMs: number) => {
    const answer = await post("/queues/work/lease", {
      recipient: "coder",
      max: QUESTIONS,
      lease_ms: 600_000,
      wait_ms: waitMs,
    });
    return ((await answer.json()) as { tasks: Leased[] }).tasks;
  };
  for (const { task_id: id, lease_id } of await lease(0)) {
    await client.questions.ask({ id, question: `Go on with ${id}?`, recipient: "ops", options: ["yes", "no"] });
    expect(await client.queues.park("work", id, lease_id, id)).toMatchObject({ status: "queued" });
  }
  await again();
  await expect.poll(() => links.size, { timeout: 120_000, interval: 200 }).toBe(QUESTIONS);

  const wanted = new Map(ids.map((id, place) => [id, place % 3 === 0 ? "no" : "yes"]));
  const byLink = async (id: string, answer: string) => {
    const pressed = await fetch(links.get(id) ?? "", { method: "POST", body: new URLSearchParams({ answer }) });
    if (pressed.status >= 500) throw new Error(`${pressed.status}`);
    return pressed.status;
  };
  const answers: Record<(typeof WAYS)[number], (id: string, answer: string) => Promise<unknown>> = {
    http: async (id, answer) => {
      const answered = await post(`/questions/${id}/answer`, { answer }, { "Idempotency-Key": `key-${id}` });
      if (answered.status >= 500) throw new Error(`${answered.status}`);
      expect(answered.status).toBe(200);
    },
    command: async (id, answer) => {
      const env = { GANGLION_URL: url, GANGLION_TOKEN: token };
      const { code, err } = await start(["questions", "answer", id, answer, "--json"], { env }).finished;
      // Its answer may have been lost with the edge: then the second try is told that it has answered.
      if (code !== 0 && !err.includes(`answered "${answer}"`)) throw new Error(err);
    },
    link: async (id, answer) => expect([200, 409]).toContain(await byLink(id, answer)),
    model: async (id, answer) => {
      const session = await connect(`${url}/v1/default/mcp?tools=coordination`, token);
      try {
        await answerOf(session, "answer_question", { id, answer }).catch((error: unknown) => {
          if (!String(error).includes(`answered \\"${answer}\\"`) && !String(error).includes(`"${answer}"`))
            throw error;
        });
      } finally {
        await session.close();
      }
    },
  };
  let killing: Promise<void> = Promise.resolve();
  for (const [place, id] of ids.entries()) {
    const way = WAYS[place % WAYS.length] ?? "http";
    // The edge goes away in the midst of the answer.
    if (place % KILLED_EACH === KILLED_EACH - 1) killing = again();
    await through(() => answers[way](id, wanted.get(id) ?? ""));
    await killing;
  }

  // Each task comes back once, with the answer that its question has, and none comes again.
  const seen = new Map<string, string | null | undefined>();
  await expect
    .poll(
      async () => {
        for (const { task_id, attempt, answers: given = [] } of await lease(1_000)) {
          expect([seen.has(task_id), attempt, given.length]).toEqual([false, 1, 1]);
          seen.set(task_id, given[0]?.answer);
        }
        return seen.size;
      },
      { timeout: 120_000, interval: 200 },
    )
    .toBe(QUESTIONS);
  expect(seen).toEqual(wanted);
  expect(await lease(500)).toEqual([]);
  const { questions } = await client.questions.list({ limit: 200 });
  expect(questions.filter(({ state }) => state === "answered")).toHaveLength(QUESTIONS);
  for (const [place, way] of WAYS.entries()) {
    const by = questions.find(({ id }) => id === `q${place}`)?.answered_by?.way;
    expect(by, way).toBe(way === "link" ? "link" : "token");
  }
  // A link that was used, or whose question was answered otherwise, changes nothing.
  const replayed = await Promise.all(ids.map((id) => byLink(id, wanted.get(id) === "no" ? "yes" : "no")));
  expect(new Set(replayed)).toEqual(new Set([409]));
  await expect
    .poll(async () => (await client.signals({ signals: ["Q_QUESTION_ANSWERED"], limit: 500 })).signals.length, {
      timeout: 60_000,
    })
    .toBe(QUESTIONS);
});
