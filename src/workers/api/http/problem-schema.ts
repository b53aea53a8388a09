import { z } from "@hono/zod-openapi";
import type { Problem } from "../../../core/problem/problem.ts";
import { describes } from "./schema-parts.ts";

export const ProblemSchema = z
  .looseObject({
    type: z.string().openapi({ example: "/problems/invalid-signal" }),
    title: z.string(),
    status: z.int(),
    detail: z.string().optional(),
    errors: z
      .array(z.object({ pointer: z.string().openapi({ description: "JSON pointer (RFC 6901)" }), message: z.string() }))
      .readonly()
      .optional(),
  })
  .openapi("Problem", { description: "Problem details (RFC 9457)" });

describes<Problem>()(ProblemSchema);
