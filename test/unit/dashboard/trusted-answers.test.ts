import { describe, expect, test } from "vitest";
import { withoutSchemas } from "../../../local-edge/trusted-answers.ts";

describe("calls of the dashboard", () => {
  test("carry no schemas of their answers, however deep they are nested", () => {
    const code = `export const page = () => call(Page, { path: inside("/page") });
const all = async () => (await callEdge(z.array(Page), { path: "/v1/pages" })).length;
const again = () => withRetries(() => call(Made, { body: call(Inner, {}) }));`;
    expect(withoutSchemas("calls.ts", code)).toBe(`export const page = () => call(undefined, { path: inside("/page") });
const all = async () => (await callEdge(undefined, { path: "/v1/pages" })).length;
const again = () => withRetries(() => call(undefined, { body: call(undefined, {}) }));`);
  });

  test("are told from calls of other names, of methods and without an answer", () => {
    const code = "queues.call(HOSTS, host);\nrecall(Page, {});\ncall();";
    expect(withoutSchemas("own.tsx", code)).toBe(code);
  });
});
