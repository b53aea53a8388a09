import { describe, expect, it } from "vitest";
import type { HealthProblem } from "../../../local-agent/base/health-problem.ts";
import { ServiceManager } from "../../../local-agent/install/service-manager.ts";
import type { StateDatabase } from "../../../local-agent/store/state-database.ts";
import { WriteCheck } from "../../../local-agent/store/write-check.ts";
import { silent } from "../store/temporary-state.ts";

/** Tells of each look at the agent's health, and of each message to the manager, in order. */
function managed(problem: HealthProblem) {
  const happened: string[] = [];
  const third = Promise.withResolvers<string[]>();
  let looks = 0;
  const manager = new ServiceManager({
    watchdogMs: 3,
    log: silent,
    health: async () => {
      if (++looks > 2) third.resolve([...happened]);
      return problem;
    },
    send: async (message) => void happened.push(message),
  });
  return { manager, untilThirdLook: third.promise };
}

describe("the watchdog", () => {
  it("is not fed by an unhealthy agent that a restart would help", async () => {
    const { manager, untilThirdLook } = managed({ reason: "it hangs", restartHelps: true });
    await manager.ready("link connected");
    expect(await untilThirdLook).toEqual(["READY=1\nSTATUS=link connected", "STATUS=unhealthy: it hangs"]);
    await manager.stopping();
  });

  it("is fed by an unhealthy agent that a restart would not help, with the problem as its status", async () => {
    const { manager, untilThirdLook } = managed({ reason: "the disk is full", restartHelps: false });
    await manager.ready("link connected");
    expect(await untilThirdLook).toEqual([
      ...["READY=1\nSTATUS=link connected", "WATCHDOG=1", "STATUS=unhealthy: the disk is full", "WATCHDOG=1"],
    ]);
    await manager.stopping();
  });

  it("gets the former status back when the agent is healthy again", async () => {
    const sent: string[] = [];
    const well = Promise.withResolvers<void>();
    let problem: HealthProblem | undefined = { reason: "the disk is full", restartHelps: false };
    const manager = new ServiceManager({
      watchdogMs: 3,
      log: silent,
      health: async () => problem,
      send: async (message) => {
        sent.push(message);
        if (message.includes("unhealthy")) problem = undefined;
        if (sent.filter((one) => one.includes("link connected")).length === 2) well.resolve();
      },
    });
    await manager.ready("link connected");
    await well.promise;
    expect(sent.filter((one) => one.includes("STATUS"))).toEqual([
      ...["READY=1\nSTATUS=link connected", "STATUS=unhealthy: the disk is full", "STATUS=link connected"],
    ]);
    await manager.stopping();
  });

  it.each([
    ["a full disk", 13, false],
    ["a disk that fails", 10, true],
  ])("is told of %s what a restart would do about it", async (_, errcode, restartHelps) => {
    const error = Object.assign(new Error("SQLite says so"), { errcode });
    const db = { sql: { exec: () => undefined }, commit: () => Promise.reject(error) } as unknown as StateDatabase;
    expect(await new WriteCheck(db).check()).toEqual({
      reason: "the spool cannot be written: SQLite says so",
      restartHelps,
    });
  });
});
