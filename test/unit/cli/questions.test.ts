import { describe, expect, it } from "vitest";
import { type Answer, startEdge } from "./fake-edge.ts";
import { ganglion } from "./ganglion.ts";

const question = {
  id: "deploy-42",
  question: "Deploy?",
  recipient: "ops",
  options: ["yes", "no"],
  state: "open",
  answer: null,
  answered_by: null,
  answered_at: null,
  asked_by: "ci",
  asked_at: "2026-01-01T00:00:00.000Z",
  expires_at: "2026-01-01T02:00:00.000Z",
  closed_at: null,
  on_timeout: null,
  reminders: 0,
  escalate_to: null,
  escalated_at: null,
  cause: null,
  signal: null,
};
const answered = {
  ...question,
  state: "answered",
  answer: "yes",
  answered_by: { name: "ada", way: "token" },
  answered_at: "2026-01-01T00:10:00.000Z",
};
const asked: Answer = [201, { id: "deploy-42", state: "open", expires_at: question.expires_at }];
const ask = ["ask", "Deploy?", "--to", "ops", "--option", "yes", "--option", "no", "--id", "deploy-42"];

describe("ganglion ask", () => {
  it("asks a person under the id that was given, with the options in their order", async () => {
    const edge = await startEdge(() => asked);
    const { code, out } = await ganglion([...ask, "--expires", "2h", "--url", edge.url]);
    expect([code, out]).toEqual([0, expect.stringMatching(/id +deploy-42/)]);
    expect(edge.received.map(({ method, url, body }) => [method, url.pathname, body])).toEqual([
      [
        "POST",
        "/v1/default/questions",
        { question: "Deploy?", recipient: "ops", options: ["yes", "no"], id: "deploy-42", expires: "2h" },
      ],
    ]);
  });

  it("waits for the answer over requests that end before it, and prints it alone", async () => {
    const answers: Answer[] = [asked, [200, question], [200, answered]];
    const edge = await startEdge(() => answers.shift() ?? [500, {}]);
    const { code, out } = await ganglion([...ask, "--wait", "--url", edge.url]);
    expect([code, out.trim()]).toEqual([0, "yes"]);
    expect(edge.received.map(({ method }) => method)).toEqual(["POST", "GET", "GET"]);
  });

  it("ends with 3 where the question is over and nobody has answered", async () => {
    const answers: Answer[] = [asked, [200, { ...question, state: "expired", closed_at: question.expires_at }]];
    const edge = await startEdge(() => answers.shift() ?? [500, {}]);
    const { code, out } = await ganglion([...ask, "--wait", "--url", edge.url]);
    expect([code, out.trim()]).toEqual([3, ""]);
  });

  it("says what is missing where there is no question, or nobody is asked", async () => {
    expect((await ganglion(["ask"])).err).toContain("give a question for a person");
    expect((await ganglion(["ask", "Deploy?"])).err).toContain("--to <person or role>");
  });
});

describe("ganglion questions", () => {
  it("lists the open ones", async () => {
    const edge = await startEdge(() => [200, { questions: [question], next: null }]);
    const { code, out } = await ganglion(["questions", "--url", edge.url]);
    expect([code, out]).toEqual([0, expect.stringMatching(/deploy-42 +open +ops .*Deploy\?/)]);
    expect(edge.received[0]?.url.search).toBe("?state=open&limit=500");
  });

  it("answers once: a request that is sent again has the key of the first", async () => {
    const answers: Answer[] = [
      [503, { type: "/problems/overloaded", title: "Overloaded", status: 503 }],
      [200, answered],
    ];
    const edge = await startEdge(() => answers.shift() ?? [500, {}]);
    const { code, out } = await ganglion(["questions", "answer", "deploy-42", "yes", "--url", edge.url]);
    expect([code, out]).toEqual([0, expect.stringMatching(/answered by +ada \(token\)/)]);
    const keys = edge.received.map(({ idempotencyKey }) => idempotencyKey);
    expect([keys.length, new Set(keys).size]).toEqual([2, 1]);
  });
});
