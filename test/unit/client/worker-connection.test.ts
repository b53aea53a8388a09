import { describe, expect, it } from "vitest";
import { ApiProblem } from "../../../src/client/http/problem-errors.ts";
import type { WorkChannel, WorkChannelOptions } from "../../../src/client/work/work-channel.ts";
import { WorkerConnection } from "../../../src/client/work/worker-connection.ts";
import type { OutgoingWorkerFrame } from "../../../src/core/queue/work-frames.ts";

const READY: OutgoingWorkerFrame = { type: "ready", recipient: "coder", credit: 1 };

/** A channel that is opened or refused as the test says, without a network. */
class FakeChannel implements WorkChannel {
  readonly sent: OutgoingWorkerFrame[] = [];
  readonly options: WorkChannelOptions;
  closed = false;
  finishDraining = (): void => {};

  constructor(options: WorkChannelOptions) {
    this.options = options;
  }

  send(frame: OutgoingWorkerFrame): void {
    this.sent.push(frame);
  }

  drained(): Promise<void> {
    return new Promise((resolve) => {
      this.finishDraining = resolve;
    });
  }

  close(): void {
    this.closed = true;
  }
}

function connect(refuse: { channel: boolean; http: Error | undefined }) {
  const channels: FakeChannel[] = [];
  const https: FakeChannel[] = [];
  const events: string[] = [];
  const open = (list: FakeChannel[], refusal: () => Error | undefined) => async (options: WorkChannelOptions) => {
    const error = refusal();
    if (error !== undefined) throw error;
    const channel = new FakeChannel(options);
    list.push(channel);
    return channel;
  };
  let tokens = 0;
  const connection = new WorkerConnection({
    url: "http://127.0.0.1:1",
    token: () => `token-${++tokens}`,
    ecosystem: "default",
    queue: "work",
    worker: "w",
    channelRetryMs: 1,
    onFrame: () => undefined,
    onOpen: () => events.push("open"),
    onLost: (error) => events.push(`lost: ${(error as Error).message}`),
    onRemark: (text) => events.push(text.replace(/\d+ ms/, "n ms")),
    openChannel: open(channels, () => (refuse.channel ? new Error("no upgrades") : undefined)),
    openHttp: open(https, () => refuse.http),
  });
  connection.open();
  return { connection, channels, https, events };
}

describe("a worker's connection", () => {
  it("reconnects with a new token when the channel is lost", async () => {
    const { connection, channels, events } = connect({ channel: false, http: undefined });
    await expect.poll(() => channels.length).toBe(1);
    channels[0]?.options.onClose();
    await expect.poll(() => channels.length).toBe(2);
    expect(channels.map(({ options }) => options.token)).toEqual(["token-1", "token-2"]);
    await expect.poll(() => events.at(-1)).toBe("open");
    expect(events.slice(1, 3)).toEqual([
      expect.stringContaining("the connection was lost"),
      "no queue answers; trying again in n ms",
    ]);
    connection.close();
  });

  it("uses HTTP while the channel is refused, and the channel when HTTP has drained", async () => {
    const refuse = { channel: true, http: undefined };
    const { connection, channels, https, events } = connect(refuse);
    await expect.poll(() => https.length).toBe(1);
    await expect
      .poll(() => events)
      .toEqual(["open", "the channel could not be opened (no upgrades); working over plain HTTP"]);
    refuse.channel = false;
    await expect.poll(() => channels.length).toBe(1);
    connection.send(READY);
    expect([https[0]?.sent.length, channels[0]?.sent.length]).toEqual([1, 0]);
    https[0]?.finishDraining();
    await expect.poll(() => events.at(-1)).toBe("the channel is open again");
    connection.send(READY);
    expect([https[0]?.closed, channels[0]?.sent.length]).toEqual([true, 1]);
    connection.close();
  });

  it("drops a new channel that opens while the worker stops, and keeps HTTP until the end", async () => {
    const refuse = { channel: true, http: undefined };
    const { connection, channels, https } = connect(refuse);
    await expect.poll(() => https.length).toBe(1);
    refuse.channel = false;
    await expect.poll(() => channels.length).toBe(1);
    const upgradeDrained = https[0]?.finishDraining;
    void connection.drain();
    upgradeDrained?.();
    await expect.poll(() => channels[0]?.closed).toBe(true);
    expect(https[0]?.closed).toBe(false);
    connection.close();
    expect(https[0]?.closed).toBe(true);
  });

  it("names a refusal that does not pass by itself, and waits a minute longer", async () => {
    const refusal = new ApiProblem({ type: "/problems/no-scope", title: "The token lacks the scope", status: 403 });
    const { connection, events } = connect({ channel: true, http: refusal });
    await expect
      .poll(() => events)
      .toEqual(["lost: The token lacks the scope", "The token lacks the scope; trying again in n ms"]);
    connection.close();
  });

  it("closes a channel that opens after the end", async () => {
    const { connection, channels } = connect({ channel: false, http: undefined });
    connection.close();
    await expect.poll(() => channels[0]?.closed).toBe(true);
  });
});
