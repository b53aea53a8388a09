import { afterEach, describe, expect, it } from "vitest";
import { Subscriber } from "zeromq";
import { Agent } from "../../../local-agent/app/agent.ts";
import { BusTopics } from "../../../local-agent/bus/bus-topics.ts";
import { subscriptionFinding } from "../../../local-agent/install/doctor/subscription-finding.ts";
import { StateDatabase } from "../../../local-agent/store/state-database.ts";
import { silent, temporaryDirectory } from "../../unit/store/temporary-state.ts";
import { agentOptions } from "../app/agent-options.ts";
import { FakeEdge } from "../link/fake-edge.ts";
import { freeEndpoints } from "./bus-parts.ts";

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function running(more: object = {}) {
  const edge = await FakeEdge.listen();
  closing.push(() => edge.close());
  const directory = temporaryDirectory();
  const endpoints = await freeEndpoints();
  const base = { ...agentOptions(directory, edge.url), ...endpoints, sources: ["bus"] as const, logger: silent };
  const options = { ...base, subscribe: "auto" as const, ...more };
  const start = async () => {
    const agent = new Agent(options);
    closing.push(() => agent.stop());
    await agent.start();
    return agent;
  };
  const connected = (agent: Agent) =>
    new Promise<void>((resolve) => {
      const look = () => agent.status.link.state === "connected" && resolve();
      agent.onChange(look);
      look();
    });
  const agent = await start();
  await connected(agent);
  return { agent, edge, options, start, connected, ...endpoints };
}

function subscriberTo(xpub: string, ...topics: string[]) {
  const socket = new Subscriber({ linger: 0, reconnectInterval: 1 });
  socket.connect(xpub);
  for (const topic of topics) socket.subscribe(topic);
  closing.push(() => socket.close());
  const next = async () => JSON.parse(String((await socket.receive()).at(-1))).facts.value as unknown;
  return { socket, next };
}

const subscribedTo = (edge: FakeEdge, ...patterns: string[]) =>
  edge.when(() => JSON.stringify(edge.patterns.at(-1)) === JSON.stringify(patterns));

/** The agent knows of the subscriber; the edge may not. */
const askedFor = (agent: Agent, pattern: string) =>
  new Promise<void>((resolve) => {
    const look = () => agent.status.subscriptions.some(({ signals }) => signals.includes(pattern)) && resolve();
    agent.onChange(look);
    look();
  });

describe("a bus without settings of what it is sent", () => {
  it("is sent nothing while nobody is subscribed, and from then on what its subscribers ask for", async () => {
    const { agent, edge, xpub, options } = await running();
    expect(edge.patterns).toEqual([["!*"]]);
    expect(agent.status.subscriptions).toEqual([
      { sink: "bus", signals: [], because: expect.stringContaining("no program on the bus is subscribed") },
    ]);
    edge.append("Q_BUILD_BROKEN", { value: "before" });
    const builds = subscriberTo(xpub, "Q_BUILD");
    await subscribedTo(edge, "Q_BUILD*");
    edge.append("Q_OTHER", { value: "other" });
    edge.append("Q_BUILD_BROKEN", { value: "after" });
    const values = [await builds.next()];
    if (values[0] === "before") values.push(await builds.next());
    expect(values.at(-1)).toBe("after");
    expect((await subscriptionFinding(options)).detail).toContain("bus: Q_BUILD* (edge.subscribe is auto, and");
    await edge.when(() => JSON.stringify(edge.statuses.at(-1)).includes('"signals":["Q_BUILD*"]'));
    subscriberTo(xpub, "Q_A", "Q_C");
    await subscribedTo(edge, "Q_A*", "Q_BUILD*", "Q_C*");
    expect(edge.upgrades.filter(({ url }) => url?.includes("/link?"))).toHaveLength(1);
  });

  it("loses nothing that comes after a subscriber, before the edge knows of that subscriber", async () => {
    const { edge, xpub, agent } = await running();
    const subscriber = subscriberTo(xpub, "Q_A");
    await askedFor(agent, "Q_A*");
    edge.append("Q_A", { value: 1 });
    expect(await subscriber.next()).toBe(1);
  });

  it("is sent after a lost link what came meanwhile, for programs of before and of meanwhile", async () => {
    const { edge, xpub, agent } = await running();
    const before = subscriberTo(xpub, "Q_A");
    await subscribedTo(edge, "Q_A*");
    edge.refuseUpgrade = { status: 503 };
    edge.dropConnections();
    await edge.when(() => edge.upgrades.length > 2);
    const meanwhile = subscriberTo(xpub, "Q_B");
    await askedFor(agent, "Q_B*");
    edge.append("Q_A", { value: 1 });
    edge.append("Q_B", { value: 2 });
    edge.refuseUpgrade = undefined;
    expect([await before.next(), await meanwhile.next()]).toEqual([1, 2]);
  });

  it("is sent after a restart of the agent what came meanwhile, for a program that was there before", async () => {
    const { agent, edge, xpub, start } = await running();
    const subscriber = subscriberTo(xpub, "Q_A");
    await subscribedTo(edge, "Q_A*");
    await agent.stop();
    edge.append("Q_A", { value: 1 });
    const { length } = edge.patterns;
    await start();
    expect(await subscriber.next()).toBe(1);
    expect(edge.patterns[length]).toEqual(["Q_A*"]);
  });

  it("is sent what the settings name, where they name patterns, whoever is subscribed", async () => {
    const { edge, xpub, agent } = await running({ subscribe: ["Q_A", "Q_B"] });
    const subscriber = subscriberTo(xpub, "Q_A", "Q_C");
    edge.append("Q_C", { value: "not named" });
    edge.append("Q_A", { value: 1 });
    expect(await subscriber.next()).toBe(1);
    expect(edge.patterns).toEqual([["Q_A", "Q_B"]]);
    expect(agent.status.subscriptions).toMatchObject([{ because: "edge.subscribe, for the bus" }]);
  });

  it("does not bring a host with reactions more than these need", async () => {
    const reactions = { it: { when: "Q_ASK", run: { command: ["true"] } } };
    const { edge, agent } = await running({
      reactions: (await import("../../../local-agent/reactions/settings.ts")).ReactionsSettings.parse(reactions),
    });
    expect(edge.patterns).toEqual([["Q_ASK"]]);
    expect(agent.status.subscriptions).toContainEqual({
      sink: "reactions",
      signals: ["Q_ASK"],
      because: "reactions: it",
    });
  });
});

describe("the topics of a bus", () => {
  function topicsIn(directory: string, onChange: () => void = () => undefined) {
    const db = StateDatabase.open(directory);
    const topics = new BusTopics({ db, log: silent, onChange, lingerMs: 1 });
    const close = async () => {
      topics.stop();
      db.close();
    };
    closing.push(close);
    return { topics, close };
  }
  const changeOf = () => {
    let resolve: () => void = () => undefined;
    const next = () =>
      new Promise<void>((done) => {
        resolve = done;
      });
    return { next, onChange: () => resolve() };
  };

  it("count for a while after their last subscriber has gone, and not while the bus is away", async () => {
    const { next, onChange } = changeOf();
    const { topics } = topicsIn(temporaryDirectory(), onChange);
    let change = next();
    topics.changed("Q_A", true);
    topics.changed("Q_B", true);
    await change;
    topics.changed("Q_A", false);
    topics.setBusWorks(false);
    expect(topics.all.sort()).toEqual(["Q_A", "Q_B"]);
    expect([topics.matches("Q_A"), topics.matches("Q_C")]).toEqual([true, false]);
    change = next();
    topics.changed("Q_B", true);
    topics.setBusWorks(true);
    await change;
    expect(topics.all).toEqual(["Q_B"]);
  });

  it("are remembered by the next process, until the bus works and nobody has come back", async () => {
    const directory = temporaryDirectory();
    const first = changeOf();
    const before = topicsIn(directory, first.onChange);
    let change = first.next();
    before.topics.changed("Q_A", true);
    before.topics.changed("Q_B", true);
    await change;
    closing.pop();
    await new Promise(setImmediate);
    await before.close();
    const second = changeOf();
    const { topics } = topicsIn(directory, second.onChange);
    expect(topics.all.sort()).toEqual(["Q_A", "Q_B"]);
    change = second.next();
    topics.changed("Q_B", true);
    topics.setBusWorks(true);
    await change;
    expect(topics.all).toEqual(["Q_B"]);
  });
});
