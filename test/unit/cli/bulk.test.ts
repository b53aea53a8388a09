import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { startEdge } from "./fake-edge.ts";
import { ganglion } from "./ganglion.ts";

interface Task {
  readonly task_id: string;
  readonly recipient: string;
  readonly payload: unknown;
}

/** Queues everything, and counts. @param refuse - whether a request of so many requests before is refused */
const queueEdge = (refuse: (before: number) => boolean = () => false) => {
  const bodies: Task[][] = [];
  const edge = startEdge(({ body }) => {
    if (refuse(bodies.length))
      return [
        422,
        { type: "/problems/invalid-task", title: "The task is not valid", status: 422, detail: "/0/type: bad" },
      ];
    bodies.push(body as Task[]);
    return [202, { tasks: (body as Task[]).map(({ task_id }) => ({ task_id, status: "queued" })) }];
  });
  return { bodies, edge };
};

describe("ganglion tasks add --bulk", () => {
  it("queues a task for each line, with what options say for all, in requests of some hundreds", async () => {
    const { bodies, edge } = queueEdge();
    const lines = Array.from({ length: 1_201 }, (_, n) =>
      JSON.stringify({ recipient: n === 0 ? "reviewer" : undefined, payload: n }),
    );
    const args = [
      "tasks",
      "add",
      "coder",
      "--type",
      "BUILD",
      "--priority",
      "2",
      "--bulk",
      "-",
      "--url",
      (await edge).url,
    ];
    const { code, out } = await ganglion(args, { input: `${lines.join("\n\n")}\n` });
    expect([code, out]).toEqual([0, "1201 tasks queued in work\n"]);
    expect(bodies.map(({ length }) => length)).toEqual([500, 500, 201]);
    expect(bodies[0]?.slice(0, 2)).toMatchObject([
      { recipient: "reviewer", type: "BUILD", priority: 2, payload: 0 },
      { recipient: "coder", payload: 1 },
    ]);
    expect(new Set(bodies.flat().map(({ task_id }) => task_id)).size).toBe(1_201);
  });

  it("reads a file, and prints a receipt a line for programs", async () => {
    const { edge } = queueEdge();
    const file = join(mkdtempSync(join(tmpdir(), "ganglion-bulk-")), "tasks.ndjson");
    writeFileSync(file, '{"recipient":"a","type":"T","task_id":"one"}\r\n{"recipient":"b","type":"T","task_id":"two"}');
    const { out } = await ganglion(["tasks", "add", "--bulk", file, "--json", "--url", (await edge).url]);
    expect(out).toBe('{"task_id":"one","status":"queued"}\n{"task_id":"two","status":"queued"}\n');
  });

  it("says which lines are queued where a later line is no task", async () => {
    const { bodies, edge } = queueEdge();
    const good = Array.from({ length: 600 }, () => '{"recipient":"a","type":"T"}').join("\n");
    const { code, err } = await ganglion(["tasks", "add", "--bulk", "-", "--url", (await edge).url], {
      input: `${good}\n{"a":`,
    });
    expect([code, bodies.length]).toEqual([2, 1]);
    expect(err).toMatch(
      /line 601 of the standard input: not JSON: .*Lines 1 to 500 are queued: repair the line, and go on from line 501/,
    );
  });

  it("says which lines the edge refused", async () => {
    const { edge } = queueEdge((before) => before === 1);
    const good = Array.from({ length: 700 }, () => '{"recipient":"a","type":"T"}').join("\n");
    const { code, err } = await ganglion(["tasks", "add", "--bulk", "-", "--url", (await edge).url], { input: good });
    expect([code, err]).toEqual([
      1,
      expect.stringMatching(
        /lines 501 to 700 .*were refused: The task is not valid: \/0\/type: bad\. Lines 1 to 500 are queued/,
      ),
    ]);
  });

  it.each([
    ["the id of one task", ["--id", "x"], /--id names one task: with --bulk put task_id into each line/],
    ["a file that is not there", ["--bulk", "/no/such"], /--bulk: there is no file \/no\/such/],
  ])("refuses %s", async (_what, args, says) => {
    const { edge } = queueEdge();
    const bulk = args[0] === "--bulk" ? [] : ["--bulk", "-"];
    const { code, err } = await ganglion(["tasks", "add", ...bulk, ...args, "--url", (await edge).url]);
    expect([code, err]).toEqual([2, expect.stringMatching(says)]);
  });
});

describe("ganglion tasks list --status", () => {
  const task = (task_id: string, status: string) => ({
    task_id,
    status,
    recipient: "coder",
    type: "T",
    sender: null,
    priority: 5,
    created_at: "2026-01-01T00:00:00.000Z",
    max_attempts: 1,
    timeout_ms: null,
    deadline_at: null,
    attempt: 1,
    waited_ms: 0,
    ran_ms: 0,
    history: [],
    payload: {},
  });

  it("asks the finished tasks for those that ended so, and searches the unfinished ones for the others", async () => {
    const edge = await startEdge(({ url }) => {
      if (url.pathname.endsWith("/finished"))
        return [200, { tasks: [{ ...task("f", "failed"), outcome: "failed" }], next: null }];
      return url.searchParams.has("after")
        ? [200, { tasks: [task("r", "running")], next: null }]
        : [200, { tasks: [task("q", "queued")], next: 7 }];
    });
    const ids = async (status: string) => {
      const { out } = await ganglion(["tasks", "list", "--status", status, "--json", "--url", edge.url]);
      return out
        .trim()
        .split("\n")
        .map((line) => (JSON.parse(line) as Task).task_id);
    };
    expect(await ids("failed")).toEqual(["f"]);
    expect(edge.received.at(-1)?.url.searchParams.get("state")).toBe("failed");
    expect(await ids("running")).toEqual(["r"]);
    expect(await ids("queued")).toEqual(["q"]);
  });
});

describe("--payload", () => {
  it.each([
    ["any JSON", "[1,null]", "", [1, null]],
    ["the standard input", "-", '{"a":1}', { a: 1 }],
    ["a number that a double does not hold, as text", "12345678901234567890", "", "12345678901234567890"],
  ])("takes %s", async (_what, payload, input, expected) => {
    const { bodies, edge } = queueEdge();
    await ganglion(["tasks", "add", "c", "--type", "T", "--payload", payload, "--url", (await edge).url], { input });
    expect(bodies[0]?.[0]?.payload).toEqual(expected);
  });

  it("takes a file", async () => {
    const { bodies, edge } = queueEdge();
    const file = join(mkdtempSync(join(tmpdir(), "ganglion-payload-")), "p.json");
    writeFileSync(file, '\ufeff{"text":"a b"}\n');
    await ganglion(["tasks", "add", "c", "--type", "T", "--payload", `@${file}`, "--url", (await edge).url]);
    expect(bodies[0]?.[0]?.payload).toEqual({ text: "a b" });
  });
});
