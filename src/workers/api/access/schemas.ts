import { z } from "@hono/zod-openapi";
import { TokenRecord, TokenSecret } from "../../../core/access/api.ts";
import { named } from "../http/schema-parts.ts";

export const TokenSchema = named("Token", TokenRecord);
export const TokensSchema = z.object({ tokens: z.array(TokenSchema) }).openapi("Tokens");
export const CreatedTokenSchema = TokenSchema.extend(TokenSecret.shape).openapi("CreatedToken");
