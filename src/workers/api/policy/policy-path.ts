import { z } from "@hono/zod-openapi";
import { EcosystemPath } from "../http/query.ts";

/** A rule of an ecosystem. */
export const PolicyPath = EcosystemPath.extend({
  id: z
    .string()
    .regex(
      /^[a-z0-9][a-z0-9-]{0,62}$/,
      "a rule's id starts with a letter or digit and holds a-z, 0-9 and - (63 at most)",
    )
    .openapi({ example: "promotions-to-dream" }),
});
