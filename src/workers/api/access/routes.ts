import { createRoute, z } from "@hono/zod-openapi";
import { expiryErrors, NewToken } from "../../../core/access/new-token.ts";
import { directory } from "../../bindings/objects.ts";
import { readDocument } from "../http/body.ts";
import { forgetSessions } from "../http/check-session.ts";
import { forgetToken } from "../http/check-token.ts";
import { invalid, notFound } from "../http/refusal.ts";
import { json, jsonBody, newApi, problems, secured } from "../http/route.ts";
import { closeSocketsOf } from "./close-sockets.ts";
import { CreatedTokenSchema, TokensSchema } from "./schemas.ts";

const createToken = createRoute({
  method: "post",
  path: "/v1/tokens",
  operationId: "createToken",
  summary: "Create a token",
  description:
    "The answer holds the token itself, and no later one does: only a digest of it is stored. Keep it. `hosts`, `sources` " +
    "and `recipients` bind the token to names; a token without them is not bound.",
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
  summary: "List all tokens, without their secrets",
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
    "Links, streams and channels that the token opened are closed: at once, or within a minute where the token reached " +
    "more than 50 ecosystems. Calls with a token that was just used may be accepted for up to 30 seconds more.",
  tags: ["access"],
  ...secured("admin"),
  request: { params: z.object({ id: z.string() }) },
  responses: { 204: { description: "The token is deleted" }, ...problems(404) },
});

export const tokens = newApi()
  .openapi(createToken, async (c) => {
    const request = await readDocument(c.req.raw, NewToken, "invalid-token", "Invalid token request");
    const past = expiryErrors(request, Date.now());
    if (past.length > 0) throw invalid("invalid-token", "Invalid token request", past);
    const { token, record } = await directory(c.env).create(request);
    c.header("Cache-Control", "no-store");
    return c.json({ ...record, token }, 201);
  })
  .openapi(listTokens, async (c) => c.json({ tokens: await directory(c.env).list() }, 200))
  .openapi(deleteToken, async (c) => {
    const { id } = c.req.valid("param");
    const removed = id.length > 64 ? null : await directory(c.env).remove(id);
    if (removed === null) throw notFound(`No token "${id.slice(0, 64)}". List tokens: GET /v1/tokens`);
    forgetToken(id);
    forgetSessions((caller) => caller.id === id);
    await closeSocketsOf(c.env, removed);
    return c.body(null, 204);
  });
