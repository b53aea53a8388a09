import { describe, expect, test } from "vitest";
import { Mentions } from "../../../src/core/erasure/mentions.ts";

describe("the name of an erased source", () => {
  test.each([
    ["anna", "asked by anna, at 5", "asked by (erased), at 5"],
    ["anna", "anna's host: anna@example.com /inbox/anna", "(erased)'s host: (erased)@example.com /inbox/(erased)"],
    ["a.b", "a.b axb", "(erased) axb"],
    ["gpu-01 (x)/[y]", "of gpu-01 (x)/[y]; gpu-012", "of (erased); gpu-012"],
    ["büro 1", "im büro 1.", "im (erased)."],
  ])("%s is replaced where it is a word", (name, text, left) => {
    expect(new Mentions(name).replace(text)).toBe(left);
    expect(new Mentions(name).isIn(text)).toBe(true);
  });

  test.each(["anna-2", "joanna", "anna_x", "annä", "x-anna", "anna1", "Anna"])("is not found in %s", (text) => {
    expect(new Mentions("anna").replace(text)).toBe(text);
    expect(new Mentions("anna").isIn(text)).toBe(false);
  });

  test("of one or two characters is replaced where it is a whole text, and nowhere else: it may be any word or fact", () => {
    const mentions = new Mentions("a");
    expect(mentions.without({ a: 1, source: "a", text: "a cat" })).toEqual({ a: 1, source: "(erased)", text: "a cat" });
    expect([mentions.isIn("a"), mentions.isIn("a cat"), mentions.isWordOf("of a, too")]).toEqual([true, false, true]);
    expect(mentions.isWordOf("of node_a")).toBe(false);
  });

  test("is taken out of JSON: out of texts and keys", () => {
    const stored = {
      who: "anna",
      by: { anna: { p50: 1 }, berta: { p50: 2 }, "via anna": 3 },
      list: ["x", "of anna"],
      n: 1,
    };
    expect(new Mentions("anna").without(stored)).toEqual({
      who: "(erased)",
      by: { "(erased)": { p50: 1 }, berta: { p50: 2 }, "via (erased)": 3 },
      list: ["x", "of (erased)"],
      n: 1,
    });
  });

  test("leaves in rows the words by which the edge reads them", () => {
    const stored = { kind: "task", agent: "x", error: "the task failed", by: "gpu-01", "gpu-01": 1 };
    expect(new Mentions("task", "rows").without(stored)).toEqual({ ...stored, error: "the (erased) failed" });
    expect(new Mentions("agent", "rows").without(stored)).toBe(stored);
    expect(new Mentions("gpu-01", "rows").without(stored)).toMatchObject({ by: "(erased)", "(erased)": 1 });
  });

  test.each(["leased", "retry", "read", "timed_out", "purge", "thread"])(
    "leaves in rows of queues the words by which they say what a task is: %s",
    (word) => {
      const row = { history: [[1, word]], action: word, [word]: 1 };
      expect(new Mentions(word, "rows").without(row)).toBe(row);
    },
  );

  test("leaves a value as it is, and the same, that does not name it", () => {
    const stored = { a: ["joanna", { b: null }], anna2: true };
    expect(new Mentions("anna").without(stored)).toBe(stored);
  });

  test.each(['say "hi"', "back\\slash", "tab\there"])(
    "is found in stored JSON where it has to be escaped: %s",
    (name) => {
      const mentions = new Mentions(name);
      const stored = JSON.stringify({ a: name, b: `by ${name}.`, nested: JSON.stringify({ c: name }) });
      const left: unknown = JSON.parse(mentions.withoutText(stored));
      expect(left).toEqual({ a: "(erased)", b: "by (erased).", nested: '{"c":"(erased)"}' });
    },
  );

  test("is taken out of lines of JSON, and of text that is none", () => {
    const mentions = new Mentions("anna");
    expect(mentions.withoutText('{"a":"anna"}\n{"b":1}')).toBe('{"a":"(erased)"}\n{"b":1}');
    expect(mentions.withoutText('{"a":"anna", cut')).toBe('{"a":"(erased)", cut');
    expect(mentions.withoutText("/v1/default/inbox/anna")).toBe("/v1/default/inbox/(erased)");
  });
});
