import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { CapabilitiesMonitor } from "../../../local-agent/monitors/capabilities.ts";
import { temporaryDirectory } from "../store/temporary-state.ts";

/** A host's list of modules, and the edge, which keeps the cursor of each answer. */
function aList(key = ["modules"]) {
  const path = join(temporaryDirectory(), "capabilities.yaml");
  const monitor = new CapabilitiesMonitor({ path, key });
  let cursor: string | undefined;
  return {
    path,
    write: (text: string) => writeFileSync(path, text),
    async found() {
      const facts = await monitor.gather(cursor);
      cursor = String(facts.cursor);
      return (facts.modules as { module_name: string; module_path: string }[]).map(
        ({ module_name, module_path }) => `${module_name} ${module_path}`,
      );
    },
    get cursor() {
      return cursor ?? "";
    },
  };
}

describe("new modules of capabilities.yaml", () => {
  it("are found once, whatever form the list has, and what is there at first is known", async () => {
    const { write, found } = aList();
    write("modules:\n  - hearing\n  - { name: touch, path: organs/touch }\n");
    expect(await found()).toEqual([]);
    write(
      "# sorted\nmodules:\n  - hearing\n  - smell\n  - { name: touch, path: organs/touch }\n  - { name: vision, path: organs/Vision }\n",
    );
    expect(await found()).toEqual(["smell smell", "vision organs/Vision"]);
    expect(await found()).toEqual([]);
    write("modules: { hearing: {}, smell: {}, touch: {}, vision: {}, balance: { path: organs/balance } }\n");
    expect(await found()).toEqual(["balance organs/balance"]);
  });

  it("are looked for where the settings say", async () => {
    const { write, found } = aList(["brain", "organs"]);
    write("brain: { organs: [a] }\n");
    await found();
    write("brain: { organs: [a, b] }\n");
    expect(await found()).toEqual(["b b"]);
  });

  it("are not those of a list that was gone, emptied or half written for a while", async () => {
    const { path, write, found } = aList();
    write("modules: [a, b]\n");
    await found();
    for (const spoiled of ["", "modules:\n", "modules: [a,", "other: 1\n"]) {
      write(spoiled);
      await expect(found()).rejects.toThrow();
    }
    rmSync(path);
    await expect(found()).rejects.toThrow("ENOENT");
    mkdirSync(path);
    await expect(found()).rejects.toThrow();
    rmSync(path, { recursive: true });
    write("modules: [a, b, c]\n");
    expect(await found()).toEqual(["c c"]);
  });

  it("come a bounded number at a time, and the others with the next answers", async () => {
    const list = aList();
    list.write("modules: []\n");
    await list.found();
    list.write(`modules: [${Array.from({ length: 450 }, (_, n) => `m${n}`).join(", ")}]\n`);
    expect((await list.found()).length).toBe(200);
    expect((await list.found()).length).toBe(200);
    expect((await list.found()).length).toBe(50);
    expect(await list.found()).toEqual([]);
    list.write(`modules: [${Array.from({ length: 2_100 }, (_, n) => `m${n}`).join(", ")}]\n`);
    await list.found();
    expect(list.cursor.length).toBeLessThanOrEqual(8_192);
  });
});
