import { describe, expect, it } from "vitest";
import { ALIASES, COMMANDS } from "../../../cli/commands/all.ts";

describe("the commands", () => {
  it("have the names under which they are loaded", async () => {
    const commands = await Promise.all(Object.values(COMMANDS).map((load) => load()));
    expect(commands.map((command) => command.name())).toEqual(Object.keys(COMMANDS));
    const aliases = commands.flatMap((command) => command.aliases().map((alias) => [alias, command.name()]));
    // One that is missing there works all the same, and takes longer.
    expect(Object.fromEntries(aliases)).toMatchObject(ALIASES);
  });
});
