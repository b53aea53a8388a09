import { beforeAll, describe, expect, it } from "vitest";
import { createLog } from "../../../local-agent/base/log.ts";
import type { Report } from "../../../local-agent/base/service.ts";
import { HostCommands } from "../../../local-agent/commands/host-commands.ts";
import { HostQueue } from "../../../local-agent/commands/host-queue.ts";
import { CommandRefused } from "../../../local-agent/feature/command.ts";
import { atEnd } from "../../harness/cleanup.ts";
import { type RunningEdge, runEdge } from "../../harness/running-edge.ts";
import { within } from "../../harness/until.ts";

let edge: RunningEdge;
beforeAll(async () => {
  edge = await runEdge();
});

function hostQueue(hostId: string, token = edge.token) {
  const commands = new HostCommands();
  const log = createLog({ format: "text", level: "silent" });
  const queue = new HostQueue({ url: edge.url, token: () => token, ecosystem: "default", hostId, commands, log });
  atEnd(() => queue.stop());
  return { commands, queue };
}

function reported(queue: HostQueue, state: Report["state"]): Promise<void> {
  const change = new Promise<void>((resolve) => {
    const look = () => queue.report().state === state && resolve();
    queue.onChange(look);
    look();
  });
  return within(change, `the host's commands to be ${state}`);
}

describe("a host", () => {
  it("runs commands for itself, and none for other hosts", async () => {
    const { commands, queue } = hostQueue("host-a");
    await queue.start();
    expect(queue.report()).toMatchObject({ state: "off", detail: "no feature of this host takes commands" });
    commands.add("greet", (payload) => `hello ${(payload as { name: string }).name}`);
    await reported(queue, "live");
    const { queues } = edge.client();
    expect((await queues.call("hosts", "host-a", "greet", { name: "edge" }, { timeoutMs: 30_000 })).result).toBe(
      "hello edge",
    );
    await expect(
      queues.call("hosts", "host-b", "greet", {}, { timeoutMs: 30_000, requireResponder: true }),
    ).rejects.toMatchObject({ problem: { status: 503 } });
  });

  it("reports a refusal at once, and does not try again", async () => {
    const { commands, queue } = hostQueue("host-c");
    let asked = 0;
    commands.add("refuse", () => {
      asked++;
      throw new CommandRefused("there is no agent coder");
    });
    await queue.start();
    const call = edge.client().queues.call("hosts", "host-c", "refuse", {}, { timeoutMs: 30_000 });
    await expect(call).rejects.toMatchObject({
      problem: { status: 502, detail: expect.stringContaining("no agent coder") },
    });
    expect(asked).toBe(1);
  });

  it("takes no commands and reports it when its token lacks the scope", async () => {
    const { token } = await edge
      .client()
      .tokens.create({ name: "sender", scopes: ["signals:write"], ecosystems: ["default"] });
    const { commands, queue } = hostQueue("host-d", token);
    commands.add("greet", () => "hello");
    await queue.start();
    await reported(queue, "off");
    expect(queue.report().detail).toMatch(/tasks:work/);
  });
});
