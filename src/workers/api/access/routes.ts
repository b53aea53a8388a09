import { createRoute, z } from "@hono/zod-openapi";
import { NewToken } from "../../../core/access/new-token.ts";
import { directory } from "../../objects.ts";
import { readDocument } from "../http/body.ts";
import { notFound } from "../http/refusal.ts";
import { json, jsonBody, newApi, problems, secured } from "../http/route.ts";
import { forgetToken } from "./authenticate.ts";
import { closeSocketsOf } from "./close-sockets.ts";
import { CreatedTokenSchema, TokensSchema } from "./schemas.ts";

const createToken = createRoute({
  method: "post",
  path: "/v1/tokens",
  operationId: "createToken",
  summary: "Make a token",
  description: "The answer holds the token itself, this once. Keep it: only a digest of it is stored.",
  tags: ["access"],
  ...secured("admin"),
  request: {
    body: jsonBody({ $ref: "#/components/schemas/NewToken" }),
  },
  responses: { 201: json(CreatedTokenSchema, "The token"), ...problems(400, 413, 415) },
});

const listTokens = createRoute({
  method: "get",
  path: "/v1/tokens",
  operationId: "listTokens",
  summary: "All tokens, without their secrets",
  tags: ["access"],
  ...secured("admin"),
  responses: { 200: json(TokensSchema, "Tokens, oldest first"), ...problems() },
});

const deleteToken = createRoute({
  method: "delete",
  path: "/v1/tokens/{id}",
  operationId: "deleteToken",
  summary: "Delete a token",
  description:
    "Links, streams and channels that it opened are closed, at once or, where it reached into more than 50 ecosystems, within " +
    "a minute. Calls may go on being accepted for up to 30 seconds where it was used just before.",
  tags: ["access"],
  ...secured("admin"),
  request: { params: z.object({ id: z.string() }) },
  responses: { 204: { description: "There is no such token any more" }, ...problems(404) },
});

export const tokens = newApi()
  .openapi(createToken, async (c) => {
    const wanted = await readDocument(c.req.raw, NewToken, "invalid-token", "The token cannot be made so");
    const { token, record } = await directory(c.env).create(wanted);
    c.header("Cache-Control", "no-store");
    return c.json({ ...record, token }, 201);
  })
  .openapi(listTokens, async (c) => c.json({ tokens: await directory(c.env).list() }, 200))
  .openapi(deleteToken, async (c) => {
    const { id } = c.req.valid("param");
    const removed = id.length > 64 ? null : await directory(c.env).remove(id);
    if (removed === null) throw notFound("There is no token of this id.");
    forgetToken(id);
    await closeSocketsOf(c.env, removed);
    return c.body(null, 204);
  });
