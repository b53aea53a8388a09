import { describe, expect, it } from "vitest";
import { COMMANDS } from "../../../cli/commands/all.ts";

describe("the commands", () => {
  it("have the names under which they are loaded", async () => {
    const names = await Promise.all(Object.values(COMMANDS).map(async (load) => (await load()).name()));
    expect(names).toEqual(Object.keys(COMMANDS));
  });
});
