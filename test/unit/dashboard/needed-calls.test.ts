import { describe, expect, test } from "vitest";
import { membersIn, namesByModule, withoutOthers } from "../../../local-edge/needed-calls.ts";

const GROUP = `export function noteCalls({ call, inside }: Calls) {
  const at = (key: string) => ({ unused: key });
  return {
    get: (key: string) => call(Note, { path: at(key) }),
    /** Not for pages. */
    async *watch(key: string) {},
    remove,
    "odd": 1,
    ...more,
  };
}
const other = () => ({ watch: 1 });`;

describe("groups of calls in a page", () => {
  test("have only the calls that pages name, and what they do beside is untouched", () => {
    expect(withoutOthers("notes.ts", GROUP, new Set(["get"]))).toBe(
      GROUP.replace("async *watch(key: string) {},", "").replace("remove,", ""),
    );
    expect(withoutOthers("notes.ts", GROUP, new Set(["get", "watch", "remove"]))).toBe(GROUP);
  });

  test("have calls that are named behind a dot, in brackets, or taken out of the group", () => {
    const code = 'const { call } = edgeOf(eco); const { list } = calls; calls.put(x); calls["remove"](y); word;';
    expect([...membersIn("page.ts", code)].sort()).toEqual(["list", "put", "remove"]);
  });

  test("have only calls that are named where the group, or a folder that imports it, can be at hand", () => {
    const named = namesByModule(
      "/pages",
      new Map([
        ["/pages/main.tsx", 'import("./shell/shell.tsx"); x.fromMain();'],
        ["/pages/shell/shell.tsx", 'import { View } from "../notes/view.tsx"; calls.fromShell();'],
        ["/pages/notes/view.tsx", 'import type { noteCalls } from "../../src/client/notes.ts"; calls.get();'],
        ["/pages/notes/one.tsx", "calls.put();"],
        ["/pages/locks/view.tsx", 'import { lockCalls } from "../../src/client/locks.ts"; text.replace();'],
        ["/pages/limits/view.tsx", 'export { lock } from "../locks/view.tsx"; calls.release();'],
      ]),
    );
    expect([...named("/src/client/notes.ts")].sort()).toEqual(["fromMain", "fromShell", "get", "put"]);
    expect([...named("/src/client/locks.ts")].sort()).toEqual(["release", "replace"]);
    expect([...named("/src/client/mail.ts")]).toEqual([]);
  });
});
