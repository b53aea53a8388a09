import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { temporaryDirectory } from "../../harness/cleanup.ts";
import { eventually } from "../../harness/eventually.ts";
import { alive, untilEnded } from "../../harness/process-alive.ts";
import { supervise } from "./supervisor-under-test.ts";

const up = ({ state }: { readonly state: string }) => state === "up";

/**
 * A master that waits for its child on SIGTERM, as pre-forking servers do. The child works until `release` exists, and is
 * ended at once by a SIGTERM of its own.
 */
function master(directory: string): string[] {
  const child = `echo $$ > child; while ! [ -e release ]; do sleep 0.02; done; echo done > done`;
  const script = `trap 'echo asked > asked' TERM; sh -c '${child}' & while :; do wait $! && exit 0; [ -e done ] && exit 0; done`;
  return ["/bin/sh", "-c", `cd ${directory}; ${script}`];
}

const pidIn = (path: string) => Number(readFileSync(path, "utf8"));

describe("the stop of a supervised agent", () => {
  it("asks its process alone, which lets its children finish", async () => {
    const directory = temporaryDirectory();
    const team = await supervise({ web: { command: master(directory), stop_seconds: 60 } });
    await team.until("web", up, "up");
    await eventually(() => expect(existsSync(join(directory, "child"))).toBe(true));
    const stopped = team.command("supervisor.stop", { names: ["web"] });
    await eventually(() => expect(existsSync(join(directory, "asked"))).toBe(true));
    expect(alive(pidIn(join(directory, "child")))).toBe(true);
    writeFileSync(join(directory, "release"), "");
    await stopped;
    expect(readFileSync(join(directory, "done"), "utf8")).toBe("done\n");
  });

  it("asks the whole group at once where it is set so", async () => {
    const directory = temporaryDirectory();
    const command = master(directory);
    const team = await supervise({ web: { command, stop_seconds: 60, stop_signal_to: "group" } });
    await team.until("web", up, "up");
    await eventually(() => expect(existsSync(join(directory, "child"))).toBe(true));
    const stopped = team.command("supervisor.stop", { names: ["web"] });
    await untilEnded([pidIn(join(directory, "child"))]);
    // Its child is gone without a result: the master would wait on.
    expect(existsSync(join(directory, "done"))).toBe(false);
    await team.command("supervisor.stop", { names: ["web"], force: true });
    await stopped;
  });

  it("asks what is left of the group when the process has ended, and gives it the rest of the time", async () => {
    const directory = temporaryDirectory();
    const child = `trap "echo asked > asked; while ! [ -e release ]; do sleep 0.02; done; echo done > done; exit" TERM; echo $$ > child; while :; do sleep 0.02; done`;
    const command = ["/bin/sh", "-c", `cd ${directory}; sh -c '${child}' & while :; do sleep 0.02; done`];
    const team = await supervise({ web: { command, stop_seconds: 60 } });
    await team.until("web", up, "up");
    await eventually(() => expect(existsSync(join(directory, "child"))).toBe(true));
    const stopped = team.command("supervisor.stop", { names: ["web"] });
    await eventually(() => expect(existsSync(join(directory, "asked"))).toBe(true));
    writeFileSync(join(directory, "release"), "");
    await stopped;
    expect(readFileSync(join(directory, "done"), "utf8")).toBe("done\n");
  });

  it("kills what is left of the group when the time is over", async () => {
    const directory = temporaryDirectory();
    const child = `trap "" TERM; echo $$ > child; while :; do sleep 0.02; done`;
    const command = ["/bin/sh", "-c", `cd ${directory}; sh -c '${child}' & while :; do sleep 0.02; done`];
    const team = await supervise({ web: { command, stop_seconds: 0.3 } });
    await team.until("web", up, "up");
    await eventually(() => expect(existsSync(join(directory, "child"))).toBe(true));
    await team.command("supervisor.stop", { names: ["web"] });
    await untilEnded([pidIn(join(directory, "child"))]);
  });
});

describe("a supervised agent that puts itself into the background", () => {
  it("is ended with the daemon that it leaves, and told to run in the foreground", async () => {
    const directory = temporaryDirectory();
    const daemon = `setsid -f sh -c 'echo $$ >> daemons; exec sleep 600'; while ! [ -s daemons ]; do sleep 0.02; done`;
    const command = ["/bin/sh", "-c", `cd ${directory}; ${daemon}`];
    const team = await supervise({ web: { command, max_restarts: 1 } });
    const crashed = await team.signal(({ signal }) => signal === "Q_PROCESS_CRASHED", "its end");
    expect(crashed.facts.reason).toBe(
      "the process ended with code 0 and left others outside of its group, which were ended: run it in the foreground",
    );
    await team.signal(({ signal }) => signal === "Q_PROCESS_GAVE_UP", "giving up");
    const daemons = readFileSync(join(directory, "daemons"), "utf8").trim().split("\n").map(Number);
    expect(daemons.length).toBeGreaterThan(0);
    expect(daemons.filter(alive)).toEqual([]);
  });
});
