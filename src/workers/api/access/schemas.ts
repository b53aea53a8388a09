import { CreatedToken, TokenRecord, Tokens } from "../../../core/access/api.ts";
import { named } from "../http/schema-parts.ts";

export const TokenSchema = named("Token", TokenRecord);
export const TokensSchema = named("Tokens", Tokens.extend({ tokens: TokenSchema.array() }));
export const CreatedTokenSchema = named("CreatedToken", CreatedToken);
