import { describe, expect, test } from "vitest";
import { withoutDescriptions } from "../../../local-edge/browser-schemas.ts";

describe("schemas in the dashboard", () => {
  test("check the same without the texts that documents of the API need", () => {
    const code = `const Seq = z.int().meta({ example: 42 });
export const Page = z.object({ next: Seq.nullable().meta({ description: "a text (with .meta)" }) }).describe("a page");
export const of = Page.shape.next.optional();`;
    expect(withoutDescriptions("page.ts", code)).toBe(`const Seq = z.int();
export const Page = z.object({ next: Seq.nullable() });
export const of = Page.shape.next.optional();`);
  });

  test("keep calls of these names that describe nothing", () => {
    const code = "const known = Page.meta() ?? {};\nconst text = describe(alert);\nconst own = this.describe();";
    expect(withoutDescriptions("own.ts", code)).toBe(code);
  });

  test("lose a description that holds schemas which are described", () => {
    const code = 'const a = z.string().meta({ of: z.int().meta({ description: "inner" }) }).optional();';
    expect(withoutDescriptions("a.ts", code)).toBe("const a = z.string().optional();");
  });
});
