import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { addModule } from "../../../../local-agent/reactions/built-ins/integrator/capabilities.ts";
import { PROJECT_ROOT } from "../../../../local-edge/paths.ts";

const vision = { name: "vision", path: "organs/vision" };
const add = (text: string, key = ["modules"]) => {
  const change = addModule(text, key, vision);
  return change.kind === "changed" ? change.text : change;
};

test("adding a module keeps the comments, order, quotes and spaces of the file", () => {
  const example = readFileSync(join(PROJECT_ROOT, "examples/host-tree/capabilities.yaml"), "utf8");
  const entry = "- name: vision\n  path: organs/vision\n";
  expect(add(example)).toBe(example.replace("  enabled: true\n", `  enabled: true\n${entry}`));
  const indented =
    "# top\nmodules:\n    - name: 'hearing'   # old\n      path: \"a b\"\n\n    # the last\n    - name: touch\nafter: [a, b]\n";
  expect(add(indented)).toBe(
    indented.replace("- name: touch\n", "- name: touch\n    - name: vision\n      path: organs/vision\n"),
  );
});

test("adding a module keeps the form of the list: names, maps with a name, or a map from names", () => {
  expect(add("modules:\n  - hearing\n  - touch # soft\n")).toBe(
    "modules:\n  - hearing\n  - touch # soft\n  - vision\n",
  );
  expect(add("modules:\n  hearing: {path: h}\n")).toBe(
    "modules:\n  hearing: {path: h}\n  vision:\n    path: organs/vision\n",
  );
  expect(add("modules: []\nb: 1\n")).toBe("modules: [ { name: vision, path: organs/vision } ]\nb: 1\n");
  expect(add("a: {b: 1}\nbrain:\n  known: # none yet\n", ["brain", "known"])).toContain("- name: vision");
  expect(add("")).toBe("modules:\n  - name: vision\n    path: organs/vision\n");
  expect(add("a: 1\n")).toBe("a: 1\nmodules:\n  - name: vision\n    path: organs/vision\n");
});

test("a module that is listed already changes nothing", () => {
  for (const text of ["modules: [vision]", "modules: [{name: vision, path: elsewhere}]", "modules: {vision: }"])
    expect(add(text)).toEqual({ kind: "listed" });
});

test("a file that cannot be changed safely is refused with the reason", () => {
  expect(add("modules: [a\nb: {")).toMatchObject({
    kind: "unusable",
    reason: expect.stringMatching(/the file is not YAML/),
  });
  expect(add("- a\n- b\n")).toEqual({ kind: "unusable", reason: "the top of the file is not a map" });
  expect(add("modules: 3\n")).toEqual({ kind: "unusable", reason: "modules is neither a list nor a map" });
});
