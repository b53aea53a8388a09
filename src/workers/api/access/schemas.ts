import { z } from "@hono/zod-openapi";
import { SCOPES } from "../../../core/access/scopes.ts";
import type { TokenRecord } from "../../../durable-objects/access/object.ts";
import { describes, time } from "../http/schema-parts.ts";

export const TokenSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    scopes: z.array(z.enum(SCOPES)).readonly(),
    ecosystems: z.array(z.string()).readonly(),
    expires_at: time.nullable(),
    created_at: time,
  })
  .openapi("Token");
export const TokensSchema = z.object({ tokens: z.array(TokenSchema) }).openapi("Tokens");
export const CreatedTokenSchema = TokenSchema.extend({
  token: z.string().openapi({ description: "The token itself, shown this once" }),
}).openapi("CreatedToken");

describes<TokenRecord>()(TokenSchema);
