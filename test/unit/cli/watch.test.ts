import { describe, expect, it } from "vitest";
import { VIEWS } from "../../../cli/watch/views.ts";
import { startEdge } from "./fake-edge.ts";
import { ganglion } from "./ganglion.ts";
import { VIEWS as SHOWN } from "./views/documents.ts";

const at = "2026-01-01T00:00:00.000Z";
const gap = (name: string) => ({
  name,
  category: "c",
  type: "t",
  reason: "too hot",
  alignment_score: 1,
  install_cost: 0,
  metadata: {},
  status: "open",
  raised_at: at,
  last_seen_at: at,
  fingerprint: name,
});
const stop = () => process.emit("SIGINT");
const signal = (seq: number) => ({
  type: "signals",
  last: seq,
  signals: [
    {
      seq,
      id: `s${seq}`,
      signal: "CAPABILITY_GAP",
      source: "g",
      ecosystem: "e",
      facts: {},
      timestamp: at,
      received_at: at,
    },
  ],
});

describe("--watch", () => {
  it("shows a view again when a stream tells of a change, and not while it stays the same; Ctrl-C ends it", async () => {
    let names = ["a"];
    const looks: (() => void)[] = [];
    const edge = await startEdge(({ url }) => {
      if (!url.pathname.endsWith("/gaps")) return [200, { signals: [], next: null }];
      looks.shift()?.();
      return [200, { gaps: names.map(gap) }];
    });
    const nextLook = () => new Promise<void>((resolve) => looks.push(resolve));
    const finished = ganglion(["gaps", "--watch", "--watch-every", "1h", "--url", edge.url]);
    const stream = await edge.nextStream();
    expect(stream.url.searchParams.getAll("signal")).toEqual(["CAPABILITY_GAP", "CAPABILITY_GAP_RESOLVED"]);
    const unchanged = nextLook();
    stream.send(signal(1));
    await unchanged;
    const changed = nextLook();
    names = ["a", "b"];
    stream.send(signal(2));
    await changed;
    const last = nextLook();
    stream.send(signal(3));
    await last;
    stop();
    const { code, out, err } = await finished;
    expect([code, err]).toEqual([0, ""]);
    const pictures = out.split(/^--- \S+$/m).slice(1);
    expect(pictures.map((picture) => picture.match(/^open +\w/gm)?.length)).toEqual([1, 2]);
    await stream.closed;
  });

  it("reads a view of which no stream tells every so often, and prints documents that have changed for programs", async () => {
    let looks = 0;
    const edge = await startEdge(() => {
      looks++;
      if (looks === 4) stop();
      return [
        200,
        {
          webhooks:
            looks < 3
              ? []
              : [{ id: "pager", url: "https://e", enabled: true, description: null, waiting: 0, created_at: at }],
        },
      ];
    });
    const { code, out } = await ganglion([
      "webhooks",
      "list",
      "--json",
      "--watch",
      "--watch-every",
      "200ms",
      "--url",
      edge.url,
    ]);
    expect(code).toBe(0);
    expect(
      out
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line).id),
    ).toEqual(["pager"]);
  });

  it("fits the picture into the terminal, says how often it is read, and shows clock times that do not age", async () => {
    const many = Array.from({ length: 100 }, (_, n) => ({
      id: `w${n}`,
      url: "https://e",
      enabled: true,
      description: null,
      waiting: 0,
      created_at: at,
      failing_since: at,
    }));
    let looks = 0;
    const edge = await startEdge(() => {
      looks++;
      if (looks === 2) stop();
      return [200, { webhooks: many }];
    });
    const { out } = await ganglion(["webhooks", "--watch", "--watch-every", "300ms", "--url", edge.url], {
      terminal: 80,
      env: { TZ: "UTC", NO_COLOR: "1" },
    });
    const [heading, ...lines] = (out.split("\u001b[H\u001b[2J")[1] ?? "").trimEnd().split("\n");
    expect(heading).toBe("ganglion webhooks, read again every 300ms; Ctrl-C ends it");
    expect(lines.length).toBeLessThanOrEqual((process.stdout.rows || 24) - 1);
    expect(lines.at(-1)).toMatch(/^… \d+ more lines$/);
    expect(out).toContain("2026-01-01 00:00");
  });

  it("goes on when the edge is away for a time", async () => {
    const first = Promise.withResolvers<void>();
    const edge = await startEdge(() => {
      first.resolve();
      return [200, { webhooks: [] }];
    });
    const finished = ganglion(["webhooks", "--watch", "--watch-every", "200ms", "--url", edge.url]);
    await first.promise;
    await edge.stop();
    const isShown = new Promise<void>((resolve) => {
      const { write } = process.stdout;
      process.stdout.write = (chunk: string | Uint8Array) => {
        if (String(chunk).includes("trying again")) resolve();
        return write.call(process.stdout, chunk);
      };
    });
    await isShown;
    stop();
    expect(await finished).toMatchObject({ code: 0, out: expect.stringMatching(/no edge answers .*; trying again/) });
  });

  it.each([
    [["emit", "Q_X"], /`ganglion emit` is none: leave --watch out/],
    [["tasks", "add", "a", "--type", "T"], /`ganglion tasks add` is none/],
    [["signals", "--follow"], /--follow shows what comes already: leave --watch out/],
  ])("does not repeat %j, which is no view", async (args, says) => {
    const edge = await startEdge();
    const { code, err } = await ganglion([...args, "--watch", "--url", edge.url]);
    expect([code, err, edge.received]).toEqual([2, expect.stringMatching(says), []]);
  });

  it("fails at once where the first look does", async () => {
    const edge = await startEdge(() => [403, { type: "/problems/no-scope", title: "No such right", status: 403 }]);
    expect(await ganglion(["gaps", "--watch", "--url", edge.url])).toMatchObject({
      code: 1,
      err: "ganglion: No such right\n",
    });
  });

  it("is known to every view", () => {
    const earlier: Readonly<Record<string, string>> = { agents: "hosts", workers: "file-tasks" };
    const isKnown = ([first = "", second = ""]: readonly string[]) => {
      const name = earlier[first] ?? first;
      const words = Object.hasOwn(VIEWS, `${name} ${second}`) ? `${name} ${second}` : name;
      return Object.hasOwn(VIEWS, words) || name === "attention";
    };
    expect(SHOWN.filter((args) => !isKnown(args))).toEqual([]);
  });
});
