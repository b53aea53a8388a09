import { execFileSync } from "node:child_process";
import { delimiter, join } from "node:path";
import { describe, expect, it } from "vitest";
import { startEdge } from "../../unit/cli/fake-edge.ts";
import { start } from "./ganglion-process.ts";

/** A Node on this machine that cannot run TypeScript, if there is one. */
const oldNode = (process.env.PATH ?? "")
  .split(delimiter)
  .map((directory) => join(directory, "node"))
  .find((node) => {
    try {
      return Number(/^v(\d+)/.exec(execFileSync(node, ["--version"], { encoding: "utf8" }))?.[1]) < 24;
    } catch {
      return false;
    }
  });

describe.skipIf(oldNode === undefined)("ganglion started by an old Node", () => {
  it("does its work, and passes on exit codes", async () => {
    const edge = await startEdge(() => [200, { gaps: [] }]);
    const how = { node: oldNode ?? "" };
    expect(await start(["gaps", "--url", edge.url], how).finished).toMatchObject({ code: 0, err: "no open gaps\n" });
    expect(await start(["gaps", "--status", "closed"], how).finished).toMatchObject({ code: 2 });
  });
});
