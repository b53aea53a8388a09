import { describe, expect, it } from "vitest";
import { platformFailure } from "../../../src/core/problem/platform-failure.ts";

const error = (message: string, marks: object = {}) => Object.assign(new Error(message), marks);

describe("an error of the platform", () => {
  it.each([
    ["Durable Object is overloaded. Too many requests queued.", { overloaded: true, remote: true }, "overloaded"],
    ["Durable Object is overloaded.", { overloaded: true, retryable: true }, "overloaded"],
    ["Cannot resolve Durable Object due to transient issue on remote node.", { retryable: true }, "object-reset"],
    ["Durable Object exceeded its CPU time limit and was reset.", { remote: true }, "object-reset"],
    ["Durable Object's isolate exceeded its memory limit and was reset.", { remote: true }, "object-reset"],
    ["Durable Object reset because its code was updated.", { remote: true }, "object-reset"],
    ["Durable Object storage operation exceeded timeout which caused object to be reset.", {}, "object-reset"],
    ["Network connection lost.", {}, "object-reset"],
    ["anything", { durableObjectReset: true }, "object-reset"],
    ['The RPC receiver does not implement "place".', {}, "version-skew"],
    ['The RPC receiver does not implement the method "place".', { remote: true }, "version-skew"],
  ])("with the words %j and the marks %j is %s", (message, marks, kind) => {
    expect(platformFailure(error(message, marks))?.kind).toBe(kind);
  });

  it("is repeated at once unless the object is overloaded", () => {
    expect(platformFailure(error("x", { overloaded: true, retryable: true }))?.repeatAtOnce).toBe(false);
    expect(platformFailure(error("x", { retryable: true }))?.repeatAtOnce).toBe(true);
  });
});

describe("an error of an object's own code", () => {
  it.each([
    ["Cannot read properties of undefined (reading 'seq')", { remote: true }],
    ["the counter was not reset", {}],
    ["x", { retryable: "yes" }],
  ])("with the words %j and the marks %j is none of the platform", (message, marks) => {
    expect(platformFailure(error(message, marks))).toBeUndefined();
  });

  it.each([[undefined], [null], ["Network connection lost."], [7]])("that is %j is none of the platform", (thrown) => {
    expect(platformFailure(thrown)).toBeUndefined();
  });
});
