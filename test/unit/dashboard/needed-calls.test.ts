import { describe, expect, test } from "vitest";
import { membersIn, withoutOthers } from "../../../local-edge/needed-calls.ts";

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
});
