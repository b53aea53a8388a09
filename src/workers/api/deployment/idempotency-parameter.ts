import type { OpenAPIHono } from "@hono/zod-openapi";
import type { ApiEnv } from "../http/api-env.ts";

type Paths = NonNullable<ReturnType<OpenAPIHono<ApiEnv>["getOpenAPI31Document"]>["paths"]>;

const PARAMETER = {
  name: "Idempotency-Key",
  in: "header",
  required: false,
  description:
    "A text of your own for this request, such as a UUID. The same request with the same key is carried out once, and gets the " +
    "same answer for a day (`Idempotency-Replayed: true`). Another request with the key gets 422, one that comes while the first " +
    "runs 409. A refused request keeps nothing.",
  schema: { type: "string", minLength: 1, maxLength: 255 },
  example: "8e03978e-40d5-43dd-bc93-6894a57f9324",
} as const;

const CONFLICT = {
  description: "The first request with this Idempotency-Key runs, or its answer cannot be given again",
  content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } },
} as const;

/** Describes the header `Idempotency-Key` at every POST that needs a token. */
export function describeIdempotency(paths: Paths): Paths {
  return Object.fromEntries(
    Object.entries(paths).map(([path, item]) => {
      const operation = item.post;
      if (operation === undefined || operation.security?.length === 0) return [path, item];
      const post = {
        ...operation,
        parameters: [...(operation.parameters ?? []), PARAMETER],
        responses: { 409: CONFLICT, ...operation.responses },
      };
      return [path, { ...item, post }];
    }),
  ) as Paths;
}
