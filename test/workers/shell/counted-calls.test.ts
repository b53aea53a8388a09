import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import type { Usage } from "../../../src/core/billing/usage.ts";
import type { LinkClaim } from "../../../src/core/hosts/link-claim.ts";
import { ReserveRequest } from "../../../src/core/limits/api.ts";
import { BudgetInput } from "../../../src/core/limits/budgets/settings.ts";
import { LimitInput } from "../../../src/core/limits/settings.ts";
import { ScheduleInput } from "../../../src/core/schedules/settings.ts";
import { NewExport } from "../../../src/core/telemetry/settings.ts";
import { Directory } from "../../../src/durable-objects/access/object.ts";
import { AuditLog } from "../../../src/durable-objects/audit/object.ts";
import { DeadLetters } from "../../../src/durable-objects/dead-letters/object.ts";
import { WorkerBoard } from "../../../src/durable-objects/file-tasks/object.ts";
import { AgentRegistry } from "../../../src/durable-objects/hosts/object.ts";
import { IdempotencyKeys } from "../../../src/durable-objects/idempotency/object.ts";
import { Intelligence } from "../../../src/durable-objects/intelligence/object.ts";
import { ObservationCache } from "../../../src/durable-objects/introspection/object.ts";
import { Limits } from "../../../src/durable-objects/limits/object.ts";
import { LinkRelay } from "../../../src/durable-objects/links/object.ts";
import { Locks } from "../../../src/durable-objects/locks/object.ts";
import { Models } from "../../../src/durable-objects/models/object.ts";
import { Notes } from "../../../src/durable-objects/notes/object.ts";
import { PolicyState } from "../../../src/durable-objects/policy/object.ts";
import { Questions } from "../../../src/durable-objects/questions/object.ts";
import { QueueLobby } from "../../../src/durable-objects/queue/lobby.ts";
import { PriorityQueue } from "../../../src/durable-objects/queue/object.ts";
import { Schedules } from "../../../src/durable-objects/schedules/object.ts";
import type { CallsOf, Namespace } from "../../../src/durable-objects/shell/ports.ts";
import { SignalLog } from "../../../src/durable-objects/signals/object.ts";
import { Telemetry } from "../../../src/durable-objects/telemetry/object.ts";
import { Webhooks } from "../../../src/durable-objects/webhooks/object.ts";
import { freshEcosystem } from "../api/calls.ts";
import { aSignal } from "../log-under-test.ts";
import { aDelivery } from "../webhooks/webhooks-under-test.ts";

const BY = { name: "test", id: "t" };
const A_TASK = {
  taskId: "t1",
  recipient: "r",
  type: "T",
  payloadJson: "1",
  sender: null,
  priority: 5,
  delayMs: 0,
  maxAttempts: undefined,
  timeoutMs: null,
  deadlineMs: null,
  caller: null,
  cause: null,
};
const NOTHING = { limit: 1, after: 0 };
const A_PAGE = { filter: {}, limit: 1, dryRun: false };
const A_REPORT = { instance: "i", version: 1, links: [] };
const EXPORT = { payload: "none" as const, gather_ms: 1_000 };
const AN_ENDPOINT = { url: "https://hooks.example/a", enabled: true, description: null };
const PROJECTION = {
  place: [],
  project: [[]],
  catchUp: [0],
  rebuild: [],
  reprocess: [1, null],
} satisfies Partial<ArgumentsOf<WorkerBoard>>;

type ArgumentsOf<Class> = {
  [Call in keyof CallsOf<Class>]: CallsOf<Class>[Call] extends (...args: infer Args) => unknown ? Args : never;
};

const A_CLAIM: LinkClaim = {
  host: "h",
  token: "t",
  right: "any",
  installation: null,
  instance: null,
  place: "",
  takeOver: false,
};

const TO_ERASE = { do: "look", source: "s", throughSeq: 0, reporters: [], place: null } as const;

/** One call of every method: the types ask for each, so that a new call without a row does not compile. */
const SIGNAL_LOG: ArgumentsOf<SignalLog> = {
  append: [{ signals: [] }],
  attentionChanged: [],
  read: [{ signals: [], after: 0, limit: 1, order: "asc" }],
  stretch: ["policy", 0, 10],
  subscribeProjection: ["policy", ["X"]],
  find: ["s1.none"],
  findAll: ["s1.none"],
  causes: ["s1.none", 5],
  reached: [],
  effects: [{ ids: ["s1.none"], after: 0, limit: 1 }],
  status: [],
  links: [],
  mayCommand: ["h", "t"],
  gather: [["promotions"], 1_000],
  closeToken: ["t"],
  releaseHost: ["h"],
  budget: [],
  producers: [undefined, "", 1],
  forgetProducer: ["h.e.local"],
  relays: [],
  relayAppend: [[]],
  relaySubscribe: ["1", []],
  relayRead: [{ after: 0, upTo: 0, patterns: [], limit: 1, maxChars: 1 }],
  relayClaim: [
    { relay: "1", claim: A_CLAIM, token: { id: "t", expiresMs: null }, links: [], ofToken: [], claiming: [] },
  ],
  relayReport: ["1", { instance: "i", version: 1, links: [] }, new Map()],
  retain: [],
  erasures: [],
  beginErasure: ["nobody"],
  countSource: ["nobody", 0],
  nudge: [],
  transfer: [{ do: "look" }],
  eraseSource: [TO_ERASE],
  usage: [],
  usageByDay: ["2026-01-01"],
};
const LINK_RELAY: ArgumentsOf<LinkRelay> = {
  deliver: [{ from: 0, through: 0, lines: [], epoch: "e" }],
  place: [],
  gather: [["promotions"], 1_000, new Map(), undefined],
  links: [],
  linksOf: ["h"],
  flow: [],
  closeToken: ["t"],
  closeHost: ["h", ["t"], "replaced"],
  transfer: [{ do: "look" }],
  eraseSource: [TO_ERASE],
  usageByDay: ["2026-01-01"],
  usage: [],
};
const OBSERVATION_CACHE: ArgumentsOf<ObservationCache> = {
  ...PROJECTION,
  hostSamples: [["gpu-01"]],
  observations: [{ seconds: 60, limit: 1 }],
  history: [{ metric: "count", sinceMs: 0, untilMs: 1_000, stepMs: 60_000 }],
  gaps: ["all"],
  openGaps: [],
  gapEvidence: ["none"],
  attention: [],
  excess: [],
  scanners: [],
  changeScanner: ["bottleneck", { enabled: false }, BY],
  settings: [],
  changeSettings: [{ window_seconds: 61 }, BY],
  maintenance: [],
  changeMaintenance: [{ enabled: true, reason: "test" }, BY],
  transfer: [{ do: "look" }],
  eraseSource: [TO_ERASE],
  usage: [],
  usageByDay: ["2026-01-01"],
};
const POLICY_STATE: ArgumentsOf<PolicyState> = {
  ...PROJECTION,
  decisions: [{ limit: 1 }],
  decisionsOn: [[1], 1],
  policies: [],
  policy: ["none"],
  overview: [],
  forwardsWaiting: [],
  attention: [],
  simulationTurn: ["a"],
  endSimulation: ["a"],
  expectations: [{ limit: 1 }],
  changePolicies: [[], BY],
  replacePolicies: [[], BY],
  deletePolicy: ["none", undefined, BY],
  enablePolicy: ["none", true, BY],
  exportTo: [EXPORT],
  importState: ["none", { in_flight: [], fired: [] }, BY],
  transfer: [{ do: "look" }],
  eraseSource: [TO_ERASE],
  usage: [],
  usageByDay: ["2026-01-01"],
};
const WORKER_BOARD: ArgumentsOf<WorkerBoard> = {
  ...PROJECTION,
  workers: [],
  task: ["w", "t"],
  agentSessions: [{ limit: 1 }],
  sessionSettings: [],
  changeSessionSettings: [{ waiting_seconds: 60 }],
  attention: [],
  transfer: [{ do: "look" }],
  eraseSource: [TO_ERASE],
  usage: [],
  usageByDay: ["2026-01-01"],
};
const PRIORITY_QUEUE: ArgumentsOf<PriorityQueue> = {
  begin: [],
  enqueue: [[A_TASK]],
  enqueueEach: [[A_TASK]],
  addressee: ["nobody"],
  setPaused: ["somebody", undefined],
  bulk: [{ action: "purge", filter: {}, dryRun: true, by: "somebody", recipients: undefined }],
  handNotes: [],
  lease: [{ recipient: "nobody", max: 1, leaseMs: 1_000, waitMs: 0, worker: "w" }],
  applyAction: [{ action: "cancel", taskId: "none" }],
  call: [{ ...A_TASK, taskId: "c1" }, 0, false],
  callResult: ["none"],
  task: ["none"],
  tasksById: [["none", "neither"]],
  tasks: [{ ...NOTHING, limit: 100 }],
  finishedTasks: [{ limit: 1 }],
  status: [],
  bottlenecks: [1],
  events: [1],
  configure: [{}],
  exportTo: [EXPORT],
  closeLimits: [{ epoch: "e", version: 1, closed: [], spent: [] }],
  closeToken: ["t"],
  remove: [false],
  end: [],
  transfer: [{ do: "look" }],
  eraseSource: [TO_ERASE],
  usage: [],
  usageByDay: ["2026-01-01"],
};
const QUEUE_LOBBY: ArgumentsOf<QueueLobby> = {
  beginForWorkers: ["work"],
  waiting: ["q", "worker"],
  offerWork: ["q"],
  queueBegan: ["q"],
  closeToken: ["t"],
  transfer: [{ do: "look" }],
  eraseSource: [TO_ERASE],
  usage: [],
  usageByDay: ["2026-01-01"],
};
const AGENT_REGISTRY: ArgumentsOf<AgentRegistry> = {
  report: [A_REPORT, new Map()],
  tick: [],
  agents: [],
  agent: ["none"],
  fleet: [1],
  wakeWhenAsleep: ["coder", "m", []],
  processLives: [[{ host: "none", process: "none" }]],
  forget: ["none"],
  settings: [],
  configure: [{}],
  transfer: [{ do: "look" }],
  eraseSource: [TO_ERASE],
  usage: [],
  usageByDay: ["2026-01-01"],
};
const DEAD_LETTERS: ArgumentsOf<DeadLetters> = {
  record: [[{ id: "d1", kind: "signal", signal: {}, error: "e", daemon: "test" }]],
  count: [],
  overview: [],
  list: [{ limit: 1 }],
  summary: [],
  about: [["d1"], ["c1"], 1],
  find: ["none"],
  replay: ["none"],
  replayAll: [A_PAGE],
  discard: ["none"],
  discardAll: [A_PAGE],
  transfer: [{ do: "look" }],
  eraseSource: [TO_ERASE],
  usage: [],
  usageByDay: ["2026-01-01"],
};
const AUDIT_LOG: ArgumentsOf<AuditLog> = {
  record: [{ by: "n", by_id: "t", method: "PUT", operation: "/v1/{eco}/budget", target: "/v1/e/budget", status: 200 }],
  entries: [{ limit: 1 }],
  transfer: [{ do: "look" }],
  eraseSource: [TO_ERASE],
  usage: [],
  usageByDay: ["2026-01-01"],
};
const IDEMPOTENCY_KEYS: ArgumentsOf<IdempotencyKeys> = {
  begin: [{ key: "k", owner: "t", fingerprint: "f" }],
  transfer: [{ do: "look" }],
  eraseSource: [TO_ERASE],
  usage: [],
  usageByDay: ["2026-01-01"],
};
const WEBHOOKS: ArgumentsOf<Webhooks> = {
  deliver: [[aDelivery("w1", "none")]],
  redeliver: [{ ...aDelivery("w2", "none"), timestampMs: 0 }],
  questionEndpoints: [["ops"]],
  list: [],
  deliveries: ["none", 1],
  deliveriesOf: [["none"]],
  put: ["none", AN_ENDPOINT],
  change: ["none", {}],
  rotateSecret: ["none"],
  remove: ["none"],
  ping: ["none"],
  inboxSources: [],
  inboxSource: ["none"],
  inboxDoor: ["none"],
  putInboxSource: ["none", { verify: { kind: "none" }, signal: "X" }],
  removeInboxSource: ["none"],
  transfer: [{ do: "look" }],
  eraseSource: [TO_ERASE],
  usage: [],
  usageByDay: ["2026-01-01"],
};
const MODELS: ArgumentsOf<Models> = {
  settings: [],
  changeSettings: [{ enabled: false, models: [], daily: { requests: 1, usd: 1 } }],
  ask: [{ id: "q1", model: "none", prompt: "p", timeoutMs: 1_000, choices: [] }],
  transfer: [{ do: "look" }],
  eraseSource: [TO_ERASE],
  usage: [],
  usageByDay: ["2026-01-01"],
};
const INTELLIGENCE: ArgumentsOf<Intelligence> = {
  rollout: [],
  health: [],
  report: [{ reporter: "r", number: 1, version: 0 }],
  setRollout: [{ share: 10 }, { id: "t", name: "t" }],
  rollBack: [{}, { id: "t", name: "t" }],
  transfer: [{ do: "look" }],
  eraseSource: [TO_ERASE],
  usage: [],
  usageByDay: ["2026-01-01"],
};
const SCHEDULES: ArgumentsOf<Schedules> = {
  list: ["", 1],
  show: ["nightly"],
  runs: ["nightly"],
  put: ["nightly", ScheduleInput.parse({ every: "1h", limits: { late_start: "1h" } })],
  remove: ["other"],
  pause: ["nightly", true],
  run: ["nightly", "r"],
  report: ["nightly", null],
  ended: ["nightly", []],
  attention: [],
  transfer: [{ do: "look" }],
  eraseSource: [TO_ERASE],
  usage: [],
  usageByDay: ["2026-01-01"],
};
const NOTES: ArgumentsOf<Notes> = {
  get: ["deploy/freeze", null, 0],
  list: ["", "", 1],
  put: [{ key: "deploy/freeze", valueJson: "{}", bytes: 2, by: "t", ttlMs: null }],
  remove: [{ key: "none", by: "t" }],
  ofTasks: [["none"]],
  transfer: [{ do: "look" }],
  eraseSource: [TO_ERASE],
  usage: [],
  usageByDay: ["2026-01-01"],
};
const TERMS = {
  question: "Go on?",
  recipient: "ops",
  options: null,
  contextJson: null,
  expiresMs: Date.UTC(2099, 0, 1),
  onTimeout: null,
  remindMs: null,
  escalateTo: null,
  escalateAtMs: null,
  cause: null,
  permission: null,
};
const SOMEBODY = { name: "test", id: "t", way: "token" } as const;
const QUESTIONS: ArgumentsOf<Questions> = {
  ask: ["q", TERMS, SOMEBODY],
  list: [{ state: undefined, recipient: undefined, kind: undefined, bound: undefined, after: undefined, limit: 1 }],
  show: ["q"],
  answer: ["q", { answer: "yes", comment: null, by: SOMEBODY, key: null }],
  cancel: ["q", SOMEBODY],
  watch: ["q", "work", "t"],
  linked: ["none"],
  answerByLink: ["none", "yes"],
  attention: [],
  transfer: [{ do: "look" }],
  eraseSource: [TO_ERASE],
  usage: [],
  usageByDay: ["2026-01-01"],
};
const A_HOLDING = { name: "port:80", fence: 1, owner: undefined, token: "t", admin: false };
const LOCKS: ArgumentsOf<Locks> = {
  acquire: [
    {
      id: "r",
      name: "port:80",
      mode: "exclusive",
      owner: "o",
      token: "t",
      admin: false,
      ttlMs: 1_000,
      waitMs: 0,
      task: null,
      process: null,
    },
  ],
  renew: [A_HOLDING, 1_000],
  release: [A_HOLDING],
  closeToken: ["nobody"],
  list: [{ after: 0, limit: 1 }],
  attention: [],
  transfer: [{ do: "look" }],
  eraseSource: [TO_ERASE],
  usage: [],
  usageByDay: ["2026-01-01"],
};
const LIMITS: ArgumentsOf<Limits> = {
  list: [],
  show: ["api"],
  put: ["api", LimitInput.parse({ concurrency: 1 })],
  remove: ["other"],
  budgets: [],
  budget: ["b"],
  putBudget: ["b", BudgetInput.parse({ scope: "agent", usd: 1 })],
  removeBudget: ["other"],
  reserve: ["api", ReserveRequest.parse({})],
  settle: ["api", { reservation: "r-1" }],
  close: ["api", { reason: "closed by hand" }],
  open: ["api"],
  watch: ["work"],
  watchers: [],
  attention: [],
  transfer: [{ do: "look" }],
  eraseSource: [TO_ERASE],
  usage: [],
  usageByDay: ["2026-01-01"],
};
const TELEMETRY: ArgumentsOf<Telemetry> = {
  show: [],
  set: [NewExport.parse({ endpoint: "https://otel.example" })],
  remove: [],
  probe: [],
  sourceExport: [],
  take: [{ source: "queue/q", epoch: "e", payload: "none", rows: [], dropped: 0 }],
  takeCalls: [{ calls: [], payload: "none", dropped: 0 }],
  tick: [],
  transfer: [{ do: "look" }],
  eraseSource: [TO_ERASE],
  usage: [],
  usageByDay: ["2026-01-01"],
};
const DIRECTORY: ArgumentsOf<Directory> = {
  create: [{ name: "n", scopes: ["signals:read"], ecosystems: ["a"] }],
  list: [],
  tokenNames: [["none"]],
  grantOf: ["none"],
  remove: ["none"],
  ended: [0, 1],
  verify: ["none", new ArrayBuffer(32)],
  addCode: [{ id: "none", digest: new ArrayBuffer(32) }, "t", false],
  beginSession: [
    { id: "none", digest: new ArrayBuffer(32) },
    { id: "s", digest: new ArrayBuffer(32) },
  ],
  beginSessionOf: ["t", false, { id: "s", digest: new ArrayBuffer(32) }],
  verifySession: [{ id: "none", digest: new ArrayBuffer(32) }],
  sessions: ["t"],
  endSession: ["none", "t"],
  ping: [],
  admitQueue: ["eco", "q", "t", 1, 0],
  admitEcosystem: ["eco", "t", 1, 0],
  hasEcosystem: ["eco"],
  reportDamage: [{ object: "none", name: "none" }, 0],
  damagedStores: [],
  forgetDamage: [{ object: "none", name: "none" }],
  ecosystems: [],
  addQueue: ["a", "q", 1],
  hasQueue: ["a", "q"],
  removeQueue: ["a", "q"],
  forgetEcosystem: ["a"],
  queues: ["a"],
  known: ["a"],
  watch: ["a", true],
  watched: [],
  setBudgeted: ["a", true],
  budgeted: [],
  marked: [],
  mark: ["exporting", "a", true],
  touch: ["a", 1],
  transfer: [{ do: "look" }],
  eraseSource: [TO_ERASE],
  workerUsage: ["a", "2026-01-01"],
  reportState: [{ ecosystem: "a", object: "SignalLog", body: "{}" }],
  states: ["a", null],
  scrapeable: [],
  usage: [],
  usageByDay: ["2026-01-01"],
};

type AnyCalls = Record<string, (...args: unknown[]) => Promise<unknown>> & { usage(): Promise<Usage> };
type Row = readonly [name: string, namespace: Namespace<unknown>, type: { prototype: object }, calls: object];

const OBJECTS: readonly Row[] = [
  ["SignalLog", env.SIGNAL_LOG, SignalLog, SIGNAL_LOG],
  ["ObservationCache", env.OBSERVATION_CACHE, ObservationCache, OBSERVATION_CACHE],
  ["PolicyState", env.POLICY_STATE, PolicyState, POLICY_STATE],
  ["WorkerBoard", env.WORKER_BOARD, WorkerBoard, WORKER_BOARD],
  ["PriorityQueue", env.PRIORITY_QUEUE, PriorityQueue, PRIORITY_QUEUE],
  ["LinkRelay", env.LINK_RELAY, LinkRelay, LINK_RELAY],
  ["QueueLobby", env.QUEUE_LOBBY, QueueLobby, QUEUE_LOBBY],
  ["AgentRegistry", env.AGENT_REGISTRY, AgentRegistry, AGENT_REGISTRY],
  ["DeadLetters", env.DEAD_LETTERS, DeadLetters, DEAD_LETTERS],
  ["Webhooks", env.WEBHOOKS, Webhooks, WEBHOOKS],
  ["Models", env.MODELS, Models, MODELS],
  ["Intelligence", env.INTELLIGENCE, Intelligence, INTELLIGENCE],
  ["AuditLog", env.AUDIT_LOG, AuditLog, AUDIT_LOG],
  ["Telemetry", env.TELEMETRY, Telemetry, TELEMETRY],
  ["IdempotencyKeys", env.IDEMPOTENCY_KEYS, IdempotencyKeys, IDEMPOTENCY_KEYS],
  ["Schedules", env.SCHEDULES, Schedules, SCHEDULES],
  ["Notes", env.NOTES, Notes, NOTES],
  ["Questions", env.QUESTIONS, Questions, QUESTIONS],
  ["Locks", env.LOCKS, Locks, LOCKS],
  ["Limits", env.LIMITS, Limits, LIMITS],
  ["Directory", env.DIRECTORY, Directory, DIRECTORY],
];

/** Stubs are typed by their class; here calls are made by their names. */
function stubOf(namespace: Namespace<unknown>, name: string): AnyCalls & DurableObjectStub {
  return namespace.get(namespace.idFromName(name)) as AnyCalls & DurableObjectStub;
}

/** Every method that RPC can reach, those of base classes included. */
function callsOf(prototype: object): string[] {
  const names: string[] = [];
  for (let level = prototype; "usage" in level; level = Object.getPrototypeOf(level)) {
    for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(level)))
      if (typeof value === "function") names.push(name);
  }
  const lifecycle = ["constructor", "fetch", "alarm", "webSocketMessage", "webSocketClose", "webSocketError"];
  return [...new Set(names)].filter((name) => !lifecycle.includes(name)).sort();
}

describe.each(OBJECTS)("what %s counts", (_, namespace, { prototype }, calls) => {
  const stub = () => stubOf(namespace, freshEcosystem());

  it("has a row for every method that RPC can reach", () => {
    expect(Object.keys(calls).sort()).toEqual(callsOf(prototype));
  });

  it.each(Object.entries(calls).filter(([name]) => name !== "end"))(
    "is one request for a call of %s",
    async (name, args: unknown[]) => {
      const object = stub();
      // Projections that are notified for the first time ask the log which one it is: calls of their own.
      if (name === "nudge") await object[name]?.();
      const before = (await object.usage()).requests;
      await object[name]?.(...args);
      // The second look at the usage is a call as well.
      expect((await object.usage()).requests - before).toBe(2);
    },
  );
});

describe("what the runtime's own calls count", () => {
  it("is one request for an alarm that fires", async () => {
    const object = stubOf(env.DEAD_LETTERS, freshEcosystem());
    await object.record?.([{ id: "d1", kind: "signal", signal: {}, error: "e", daemon: "test" }]);
    const before = (await object.usage()).requests;
    expect(await runDurableObjectAlarm(object)).toBe(true);
    expect((await object.usage()).requests - before).toBe(2);
  });

  it("is one request for a WebSocket that is opened, and one message for each that comes in", async () => {
    const eco = freshEcosystem();
    const log = env.SIGNAL_LOG.get(env.SIGNAL_LOG.idFromName(eco));
    const before = await log.usage();
    const { webSocket } = await log.fetch(`https://log/${eco}/stream?after=0`, { headers: { Upgrade: "websocket" } });
    webSocket?.accept();
    const answered = new Promise((resolve) => webSocket?.addEventListener("message", resolve, { once: true }));
    webSocket?.send("not a frame");
    await answered;
    const after = await log.usage();
    expect(after.requests - before.requests).toBe(2);
    expect(after.socket_messages - before.socket_messages).toBe(1);
  });

  it("is nothing for the calls that an object makes to itself", async () => {
    const eco = freshEcosystem();
    const log = env.SIGNAL_LOG.get(env.SIGNAL_LOG.idFromName(eco));
    await log.append({ signals: [aSignal("A", {}, { id: "a" }), aSignal("B", {}, { id: "b", cause: "a" })] });
    await evictDurableObject(log);
    const before = (await log.usage()).requests;
    expect(await log.causes("b", 5)).toEqual(["b", "a"]);
    expect((await log.usage()).requests - before).toBe(2);
  });

  it("is nothing for reading an object's storage in a test", async () => {
    const object = stubOf(env.MODELS, freshEcosystem());
    const before = (await object.usage()).requests;
    await runInDurableObject(object, (_, { storage }) => storage.sql.exec("SELECT 1").one());
    expect((await object.usage()).requests - before).toBe(1);
  });
});
