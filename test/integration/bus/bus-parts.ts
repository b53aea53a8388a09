import { once } from "node:events";
import { createServer } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { Subscriber, XPublisher, XSubscriber } from "zeromq";

/** Two addresses that were free a moment ago. */
export async function freeEndpoints(): Promise<{ xsub: string; xpub: string }> {
  const servers = [createServer(), createServer()];
  const ports = await Promise.all(
    servers.map(async (server) => {
      server.listen(0, "127.0.0.1");
      await once(server, "listening");
      return (server.address() as { port: number }).port;
    }),
  );
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return { xsub: `tcp://127.0.0.1:${ports[0]}`, xpub: `tcp://127.0.0.1:${ports[1]}` };
}

/** A publisher that knows when somebody listens to it. */
export async function connectPublisher(xsub: string): Promise<XPublisher> {
  const publisher = new XPublisher({ sendHighWaterMark: 1_000_000, linger: 0 });
  publisher.connect(xsub);
  await publisher.receive();
  return publisher;
}

/** What a subscriber is found to hear by. A valid signal, so that it also goes to the edge, where there is one. */
export const PROBE = "Q_PROBE";

export interface Heard {
  /** Everything but probes. */
  readonly frames: string[][];
  when(until: (frames: string[][]) => boolean): Promise<void>;
  /**
   * Has `publisher` say something until it is heard: what is published in a subscriber's first moments, before its
   * subscription has arrived, is lost to it.
   *
   * @returns how often it was said
   */
  hears(publisher: XPublisher): Promise<number>;
  close(): void;
}

/** Publishes probes until `heard` resolves. @returns how many */
export async function probe(publisher: XPublisher, heard: Promise<void>): Promise<number> {
  let found = false;
  const done = heard.then(() => {
    found = true;
  });
  let probes = 0;
  for (; !found; probes++) {
    await publisher.send([PROBE, JSON.stringify({ signal: PROBE, source: "probe", facts: {} })]);
    await Promise.race([done, pause(20)]);
  }
  return probes;
}

export function connectSubscriber(xpub: string): Heard {
  // Back at once behind a proxy that comes back: what is said until then is lost to it.
  const subscriber = new Subscriber({ receiveHighWaterMark: 1_000_000, linger: 0, reconnectInterval: 1 });
  subscriber.connect(xpub);
  subscriber.subscribe();
  const frames: string[][] = [];
  let probed = () => {};
  const hearing = new Promise<void>((resolve) => {
    probed = resolve;
  });
  let waiting: { until: (frames: string[][]) => boolean; resolve: () => void }[] = [];
  void (async () => {
    for await (const message of subscriber) {
      const said = message.map(String);
      if (said[0] === PROBE) {
        probed();
        continue;
      }
      frames.push(said);
      waiting = waiting.filter(({ until, resolve }) => {
        if (!until(frames)) return true;
        resolve();
        return false;
      });
    }
  })();
  return {
    frames,
    when: (until) => (until(frames) ? Promise.resolve() : new Promise((resolve) => waiting.push({ until, resolve }))),
    hears: (publisher) => probe(publisher, hearing),
    close: () => subscriber.close(),
  };
}

/** A proxy like those that hosts run already. */
export async function startForeignProxy({ xsub, xpub }: { xsub: string; xpub: string }): Promise<() => void> {
  const inward = new XSubscriber({ linger: 0 });
  const outward = new XPublisher({ linger: 0 });
  await inward.bind(xsub);
  await outward.bind(xpub);
  const forward = async (from: XSubscriber | XPublisher, to: XSubscriber | XPublisher) => {
    for await (const frames of from) {
      // Throws at once where the other side is closed already.
      if (!to.closed) await to.send(frames);
    }
  };
  void forward(inward, outward);
  void forward(outward, inward);
  return () => {
    inward.close();
    outward.close();
  };
}
