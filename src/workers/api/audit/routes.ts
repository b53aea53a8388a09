import { createRoute, z } from "@hono/zod-openapi";
import { AuditEntry, AuditPage } from "../../../core/audit/api.ts";
import type { Environment } from "../../bindings/environment.ts";
import { auditLog, DEPLOYMENT } from "../../bindings/objects.ts";
import { nextLink } from "../http/next-link.ts";
import { EcosystemPath, sequence, time, wholeNumber, words } from "../http/query.ts";
import { json, newApi, problems, secured } from "../http/route.ts";
import { named } from "../http/schema-parts.ts";

const EntrySchema = named("AuditEntry", AuditEntry);
const AuditPageSchema = named(
  "AuditPage",
  AuditPage.extend({
    entries: EntrySchema.array()
      .readonly()
      .meta(AuditPage.shape.entries.meta() ?? {}),
  }),
);

const query = z.strictObject({
  by: words("Only calls of the token with this name or id"),
  target: words("Only calls whose path has this text"),
  since: time("Only calls at or after this"),
  until: time("Only calls before this"),
  limit: wholeNumber(1, 1_000, 100, "Entries in a page"),
  after: sequence("`next` of the page before"),
});

const ofEcosystem = createRoute({
  method: "get",
  path: "/v1/{eco}/audit",
  operationId: "getAudit",
  summary: "Who changed what in an ecosystem, and when",
  description:
    "Each call that changed something, or that the state did not allow to: policies, queues, webhooks, dead letters, commands for " +
    "hosts and whatever else the API writes, with the token, the path and the status, and without bodies. What programs send all " +
    "the time (signals, tasks, calls and their ends) is left out: the log and the queues hold it. 20,000 entries are kept, for " +
    "400 days at most; of too many those of the token go first that has the most.",
  tags: ["access"],
  ...secured("admin"),
  request: { params: EcosystemPath, query },
  responses: { 200: json(AuditPageSchema, "A page"), ...problems() },
});

const ofDeployment = createRoute({
  method: "get",
  path: "/v1/audit",
  operationId: "getAuditOfDeployment",
  summary: "Who changed tokens, and deleted or imported ecosystems",
  tags: ["access"],
  ...secured("admin"),
  request: { query },
  responses: { 200: json(AuditPageSchema, "A page"), ...problems() },
});

export const audit = newApi()
  .openapi(ofDeployment, async (c) => {
    const page = await pageOf(c.env, DEPLOYMENT, c.req.valid("query"));
    return c.json(page, 200, nextLink(c.req.url, page.next));
  })
  .openapi(ofEcosystem, async (c) => {
    const page = await pageOf(c.env, c.req.valid("param").eco, c.req.valid("query"));
    return c.json(page, 200, nextLink(c.req.url, page.next));
  });

const pageOf = (env: Environment, place: string, { since, until, after, ...rest }: z.output<typeof query>) =>
  auditLog(env, place).entries({ ...rest, sinceMs: since, untilMs: until, before: after });
