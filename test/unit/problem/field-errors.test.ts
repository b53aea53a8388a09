import { describe, expect, it } from "vitest";
import * as z from "zod";
import { fieldErrors } from "../../../src/core/problem/field-errors.ts";

const Kinds = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("a"), n: z.int().optional() }),
  z.strictObject({ kind: z.literal("b") }),
]);

describe("errors in a document", () => {
  it.each([
    [z.string(), undefined, "a is required: give a text"],
    [z.string(), 7, "give a text, not a number"],
    [z.int(), "7", "give a number, not a text"],
    [z.int(), 7.5, "give a whole number"],
    [z.unknown().nonoptional(), undefined, "a is required"],
    [z.boolean(), "yes", "give true or false, not a text"],
    [z.array(z.string()), null, "give a list, not null"],
    [z.record(z.string(), z.string()), [], "give an object, not a list"],
    [z.strictObject({}), undefined, "a is required: give an object"],
    [z.enum(["up", "down"]), "left", "give one of up, down"],
    [z.literal("up"), "left", 'give "up"'],
    [z.union([z.string(), z.number()]), undefined, "a is required: give a text or a number"],
    [z.union([z.int(), z.null()]), "x", "give a number or null, not a text"],
    [z.number().min(1), 0, "give at least 1"],
    [z.number().gt(0), 0, "give more than 0"],
    [z.number().lt(3), 3, "give less than 3"],
    [z.string().max(3), "long", "give 3 characters at most"],
    [z.array(z.string()).min(1), [], "give at least 1 item"],
    [z.string().regex(/^q/, { message: "begin with q" }), "x", "begin with q"],
    [z.string({ error: "give your name" }), undefined, "give your name"],
  ])("say what to write instead: %#", (schema, input, message) => {
    const { error } = schema.safeParse(input);
    expect(fieldErrors(error?.issues ?? [], "/a")).toEqual([{ pointer: "/a", message }]);
  });

  it.each([
    [Kinds, { kind: "c" }, [{ pointer: "/kind", message: "give one of a, b" }]],
    [Kinds, { kind: "a", "m/n": 1 }, [{ pointer: "/m~1n", message: "unknown field: remove it" }]],
    [z.union([z.string(), z.array(z.int())]), [1, "x"], [{ pointer: "/1", message: "give a number, not a text" }]],
    [z.union([z.int().max(10), z.string()]), 11, [{ pointer: "", message: "give 10 at most" }]],
  ])("point at the place and, in a union, follow the form that was meant: %#", (schema, input, errors) => {
    expect(fieldErrors(schema.safeParse(input).error?.issues ?? [])).toEqual(errors);
  });

  it("name the field that a misspelt one probably means, at any depth", () => {
    const schema = z.strictObject({ steps: z.array(z.strictObject({ cooldown: z.string().optional() })) });
    const { error } = schema.safeParse({ steps: [{ cooldwn: "1h", other: 1 }], step: [] });
    expect(fieldErrors(error?.issues ?? [], "", schema)).toEqual([
      { pointer: "/steps/0/cooldwn", message: "unknown field: did you mean cooldown?" },
      { pointer: "/steps/0/other", message: "unknown field: remove it" },
      { pointer: "/step", message: "unknown field: did you mean steps?" },
    ]);
  });
});
