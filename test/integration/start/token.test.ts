import { chmodSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { administratorToken } from "../../../local-edge/token.ts";
import { temporaryDirectory } from "../../harness/cleanup.ts";
import { RunningProcess } from "../../harness/running-process.ts";

describe("the administrator's token", () => {
  it("is made once, for its owner alone", () => {
    const stateDir = temporaryDirectory();
    const { token, path, warning } = administratorToken(stateDir);
    expect(token).toMatch(/^gng_admin_[\w-]{43}$/);
    expect(readFileSync(path, "utf8")).toBe(`${token}\n`);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(warning).toBeUndefined();
    expect(administratorToken(stateDir).token).toBe(token);
    expect(readdirSync(stateDir)).toEqual(["token"]);
  });

  it("is the same for processes that start at the same moment", async () => {
    const stateDir = temporaryDirectory();
    const script = `import { administratorToken } from "./local-edge/token.ts"; console.log(administratorToken(${JSON.stringify(stateDir)}).token)`;
    const racers = Array.from({ length: 4 }, () => new RunningProcess(["--input-type=module", "--eval", script]));
    await Promise.all(racers.map((racer) => racer.ended));
    const tokens = new Set(racers.flatMap((racer) => racer.lines));
    expect(tokens).toEqual(new Set([readFileSync(join(stateDir, "token"), "utf8").trim()]));
  });

  it("is closed to others, with a warning, when they could read it", () => {
    const stateDir = temporaryDirectory();
    const { path, token } = administratorToken(stateDir);
    chmodSync(path, 0o644);
    const again = administratorToken(stateDir);
    expect(again.token).toBe(token);
    expect(again.warning).toContain("644");
    expect(again.warning).not.toContain(token);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it.each([
    ["", "fewer than 16 characters"],
    ["hunter2", "fewer than 16 characters"],
    ["two words that are long enough", "cannot stand in a header"],
  ])("is refused where the file holds %j", (contents, reason) => {
    const stateDir = temporaryDirectory();
    writeFileSync(join(stateDir, "token"), contents, { mode: 0o600 });
    expect(() => administratorToken(stateDir)).toThrow(reason);
    expect(() => administratorToken(stateDir)).toThrow("Delete the file and start again");
  });
});
