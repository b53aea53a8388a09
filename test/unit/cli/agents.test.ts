import { describe, expect, it } from "vitest";
import { DEFAULT_MONITOR_SETTINGS } from "../../../src/core/hosts/monitors/monitor-settings.ts";
import type { QueueStatus } from "../../../src/core/queue/api.ts";
import { DEFAULT_SETTINGS } from "../../../src/core/queue/queue-settings.ts";
import { type Answer, type Received, startEdge } from "./fake-edge.ts";
import { ganglion } from "./ganglion.ts";

const up = {
  host: "gpu-01",
  state: "up",
  since: "2026-01-31T12:00:00.000Z",
  reason: "linked",
  links: 1,
  last_seen: "2026-01-31T12:05:00.000Z",
  version: "0.1.0",
  failing: { promotions: "permission denied" },
  alerts: [{ subject: "disk:/var", since: "2026-01-31T12:04:00.000Z", value: 96, limit: 90 }],
  runs: { host: "gpu-01", sources: [{ name: "bus", state: "live", detail: "own proxy" }], workers: [] },
  facts: { health: { readings: [{ kind: "disk", instance: "/var", value: 96.5 }] } },
};
const down = {
  ...up,
  host: "gpu-02",
  state: "down",
  reason: "link_lost",
  links: 0,
  alerts: [],
  failing: {},
  facts: null,
};

describe("ganglion agents", () => {
  it("lists hosts as a table, or one a line", async () => {
    const edge = await startEdge(() => [200, { agents: [up, down] }]);
    const { out } = await ganglion(["agents", "--url", edge.url]);
    expect(out.split("\n").slice(0, 3)).toEqual([
      "HOST    STATE             SINCE                     LAST SEEN                 VERSION  ALERTS     FAILING",
      "gpu-01  up                2026-01-31T12:00:00.000Z  2026-01-31T12:05:00.000Z  0.1.0    disk:/var  promotions",
      "gpu-02  down (link_lost)  2026-01-31T12:00:00.000Z  2026-01-31T12:05:00.000Z  0.1.0    -          -",
    ]);
    const json = await ganglion(["agents", "--json", "--url", edge.url]);
    expect(
      json.out
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line)),
    ).toEqual([up, down]);
  });

  it("gives programs the fields that a newer edge adds", async () => {
    const newer = { ...up, region: "north", alerts: [{ ...up.alerts[0], severity: "high" }] };
    const edge = await startEdge(() => [200, { agents: [newer] }]);
    const { out } = await ganglion(["agents", "--json", "--url", edge.url]);
    expect(JSON.parse(out)).toEqual(newer);
  });

  it("fails with the call and the field where the edge answers in another form", async () => {
    const edge = await startEdge(() => [200, { agents: [up, { ...down, links: "none" }] }]);
    const { code, out, err } = await ganglion(["agents", "--url", edge.url]);
    expect([code, out]).toEqual([1, ""]);
    expect(err).toMatch(
      /^ganglion: the answer of http:\/\/127\.0\.0\.1:\d+ to GET \/v1\/default\/agents has another shape than this client expects: \/agents\/1\/links: .*; use the client of the version that the edge runs/,
    );
  });

  it("shows one host with what it runs and its alerts", async () => {
    const edge = await startEdge(() => [200, up]);
    const { out } = await ganglion(["agents", "gpu-01", "--url", edge.url]);
    expect(edge.received[0]?.url.pathname).toBe("/v1/default/agents/gpu-01");
    expect(out).toMatch(/^state +up \(linked\) since 2026-01-31T12:00:00.000Z$/m);
    expect(out).toMatch(/^alert +disk:\/var is 96 \(limit 90\) since 2026-01-31T12:04:00.000Z$/m);
    expect(out).toMatch(/^monitor promotions +fails: permission denied$/m);
    expect(out).toMatch(/^disk \/var +96.5$/m);
    expect(out).toMatch(/^sources bus +live, own proxy$/m);
  });

  it("forgets a host that is named", async () => {
    const edge = await startEdge(() => [204, undefined]);
    expect(await ganglion(["agents", "gpu-02", "--forget", "--url", edge.url])).toEqual({
      code: 0,
      out: "",
      err: "gpu-02 is forgotten\n",
    });
    expect(edge.received).toMatchObject([{ method: "DELETE" }]);
    expect((await ganglion(["agents", "--forget", "--url", edge.url])).code).toBe(2);
  });
});

describe("ganglion monitors", () => {
  const answer = ({ method, body, url }: Received): Answer => {
    if (url.pathname.endsWith("/run")) return [200, { answered: ["a"], silent: [], told: ["Q_HEALTH_ALERT"] }];
    return [200, method === "PUT" ? { ...DEFAULT_MONITOR_SETTINGS, ...(body as object) } : DEFAULT_MONITOR_SETTINGS];
  };

  it("changes only the given settings", async () => {
    const edge = await startEdge(answer);
    const changes = ["agent_grace_seconds=60", "health.disk.raise_above=95", "health.load=null"];
    const { out } = await ganglion(["monitors", "set", ...changes, "--url", edge.url]);
    const { health } = DEFAULT_MONITOR_SETTINGS;
    expect(edge.received[1]?.body).toEqual({
      ...DEFAULT_MONITOR_SETTINGS,
      agent_grace_seconds: 60,
      health: { ...health, load: null, disk: { ...health.disk, raise_above: 95 } },
    });
    expect(out).toMatch(/^health.disk +raised above 95, resolved below 85$/m);
    expect(out).toMatch(/^health.load +off$/m);
    expect((await ganglion(["monitors", "set", "__proto__.x=1", "--url", edge.url])).code).toBe(2);
  });

  it("resets all settings, and asks all hosts now", async () => {
    const edge = await startEdge(answer);
    await ganglion(["monitors", "reset", "--url", edge.url]);
    expect(edge.received[0]).toMatchObject({ method: "PUT", body: {} });
    const { out } = await ganglion(["monitors", "run", "--url", edge.url]);
    expect(out).toBe("Hosts that answered: a\nHosts without an answer: none\nSignals emitted: Q_HEALTH_ALERT\n");
  });
});

const OVER = {
  quota: "findings",
  sender: "token:abc",
  token_name: "flooder",
  source: "fake",
  refused: 12,
  limit: 1_000,
  setting: "fixed",
  since: "2026-01-31T12:00:00.000Z",
  last_at: "2026-01-31T12:00:01.000Z",
};

describe("ganglion status", () => {
  const log = {
    head_seq: 7,
    oldest_seq: 1,
    signals_last_minute: 2,
    subscribers: 1,
    hosts: ["gpu-01"],
    unknown_frames: 0,
  };
  const window = { seconds: 60, size: 3, oldest: null, newest: null };
  const queue: QueueStatus = {
    queue: "work",
    depth: 2,
    running: 1,
    by_priority: {},
    by_recipient: {},
    oldest_age_ms: 5,
    workers: {},
    alerts: [{ rule: "queue_deep", subject: "queue", raised_at: "2026-01-31T12:04:00.000Z" }],
    breakers: [],
    paused: null,
    bulk: null,
    settings: DEFAULT_SETTINGS,
    database_bytes: 16_384,
    heap: [{ kind: "tasks", used_bytes: 1_000_000, limit_bytes: 25_000_000, refused: 3 }],
  };
  const projections = {
    policy: { cursor: 5, foreign_messages: 0, lag: 2, oldest_undelivered_at: "2026-01-31T12:00:00.000Z" },
    observations: {
      cursor: 7,
      foreign_messages: 0,
      lag: 0,
      oldest_undelivered_at: null,
      database_bytes: 2_000_000,
      heap: [],
    },
  };
  const answer = ({ url: { pathname } }: Received): Answer => {
    const path = pathname.replace("/v1/default/", "");
    const answers: Record<string, unknown> = {
      status: {
        ecosystem: "default",
        log,
        window,
        gaps: { open: 4 },
        over_quota: [OVER],
        policies: { rules: 3, quarantined: [], unheard: [{ endpoint: "pager", messages: 2 }] },
        projections,
        dead_letters: 2,
        dead_letters_per_1000: 0.5,
      },
      agents: { agents: [up, down] },
      queues: { queues: [{ name: "work", created_at: "x" }] },
      "queues/work": queue,
    };
    if (path === "/readyz") return [503, { title: "Ganglion is not ready", status: 503, detail: "no directory" }];
    return path in answers ? [200, answers[path]] : [404, { title: "no", status: 404 }];
  };

  it("shows edge, hosts, queues, gaps and dead letters on one screen", async () => {
    const edge = await startEdge(answer);
    const { out, err } = await ganglion(["status", "--url", edge.url]);
    expect(err).toBe("");
    expect(out).toMatch(/^edge +not ready: no directory$/m);
    expect(out).toMatch(/^open gaps +4$/m);
    expect(out).toMatch(/^hosts +gpu-01$/m);
    expect(out).toMatch(/^host gpu-02 +down since 2026-01-31T12:00:00.000Z \(link_lost\)$/m);
    expect(out).toMatch(/^alerts gpu-01 +disk:\/var$/m);
    expect(out).toMatch(/^queue work +2 queued, 1 running, alerts: queue_deep:queue$/m);
    expect(out).toMatch(/^behind policy +2 signals of the log, the oldest of 2026-01-31T12:00:00.000Z$/m);
    expect(out).not.toContain("behind observations");
    expect(out).toMatch(/^databases +observations 2 MB, queue work 0.0164 MB$/m);
    expect(out).toMatch(/^memory queue work +tasks 1 of 25 MB \(3 refused\)$/m);
    expect(out).toMatch(/^dead letters +2 \(0.5 for 1,000 signals\)$/m);
    expect(out).toMatch(
      /^unheard pager +2 optional messages reached nobody; add the endpoint with `ganglion webhooks add pager <url>`$/m,
    );
    expect(out).toMatch(
      /^over quota token:abc \(flooder\) "fake" +12 findings gave way, last at .*; limit 1000 \(fixed\)$/m,
    );
  });

  it("says that nobody is told of what the rules of operations notice, while there is no endpoint for it", async () => {
    const created_at = "2026-01-01T00:00:00.000Z";
    const common = { url: "https://example.org", description: null, created_at, waiting: 0 };
    const endpoint = (id: string, enabled: boolean) => ({ id, enabled, ...common });
    const shown = async (...webhooks: object[]) => {
      const edge = await startEdge((request) =>
        request.url.pathname.endsWith("/webhooks") ? [200, { webhooks }] : answer(request),
      );
      return (await ganglion(["status", "--url", edge.url])).out;
    };
    const nobody = /^alerts +nobody is told: there is no webhook endpoint alerts; add it with/m;
    expect(await shown()).toMatch(nobody);
    expect(await shown(endpoint("alerts", false), endpoint("other", true))).toMatch(nobody);
    expect(await shown(endpoint("alerts", true))).not.toMatch(/^alerts +nobody/m);
  });

  it("is one document with --json", async () => {
    const edge = await startEdge(answer);
    const { out } = await ganglion(["status", "--json", "--url", edge.url]);
    expect(JSON.parse(out)).toMatchObject({
      log,
      edge: { ready: false },
      hosts: [
        { host: "gpu-01", alerts: ["disk:/var"] },
        { host: "gpu-02", state: "down" },
      ],
      queues: [{ name: "work", depth: 2 }],
      dead_letters: 2,
    });
  });
});
