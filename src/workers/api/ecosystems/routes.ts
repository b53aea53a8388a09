import { createRoute, z } from "@hono/zod-openapi";
import { Deletion, EcosystemList, ExportPage, ImportReceipt } from "../../../core/ecosystems/document.ts";
import { problem } from "../../../core/problem/problem.ts";
import { directory, signalLog } from "../../bindings/objects.ts";
import { readBody } from "../http/body.ts";
import { nextLink } from "../http/next-link.ts";
import { EcosystemPath } from "../http/query.ts";
import { Refusal } from "../http/refusal.ts";
import { json, newApi, problems, secured, securedAnywhere } from "../http/route.ts";
import { named } from "../http/schema-parts.ts";
import { visibleEcosystems } from "../http/visible-ecosystems.ts";
import { exportPage } from "./export.ts";
import { importLines } from "./import.ts";
import { allParts, MAX_QUEUES, queuePart, relayPart, restart, suspend } from "./parts.ts";

/** Bytes of one call of an import: a row may take two million, and more as JSON. */
const IMPORT_BYTES = 16 * 1024 * 1024;

const listEcosystems = createRoute({
  method: "get",
  path: "/v1/ecosystems",
  operationId: "listEcosystems",
  summary: "List the ecosystems that hold signals, of those that the token may read",
  tags: ["operation"],
  ...securedAnywhere("signals:read"),
  responses: { 200: json(named("Ecosystems", EcosystemList), "Ecosystems by name"), ...problems() },
});

const exportEcosystem = createRoute({
  method: "get",
  path: "/v1/{eco}/export",
  operationId: "exportEcosystem",
  summary: "A page of an export of an ecosystem",
  description:
    "The lines of all pages, one after the other, are the document that an import takes: everything the ecosystem stores, " +
    "at one moment. From the first page to the last the ecosystem takes no calls (`503`, `/problems/suspended`), and for a " +
    "minute after a page that is not followed by the next. Tokens and keys of models are left out.",
  tags: ["operation"],
  ...secured("admin"),
  request: {
    params: EcosystemPath,
    query: z.object({
      after: z.string().optional().openapi({ description: "`next` of the page before" }),
      with_secrets: z
        .enum(["true", "false"])
        .optional()
        .openapi({ description: "With the secrets by which webhooks are signed; default: without" }),
    }),
  },
  responses: { 200: json(named("ExportPage", ExportPage), "A page"), ...problems(409) },
});

const importEcosystem = createRoute({
  method: "post",
  path: "/v1/{eco}/import",
  operationId: "importEcosystem",
  summary: "Import lines of an export into an empty ecosystem",
  description:
    "Lines in their order, some in each call, 16 MiB at most. What was imported counts when the last line has come; an " +
    "import that ends early changes nothing, and its next call may send the same lines again.",
  tags: ["operation"],
  ...secured("admin"),
  request: {
    params: EcosystemPath,
    query: z.object({
      import: z
        .string({ error: "give a name of your own for this import, the same in each of its calls" })
        .regex(/^[\w-]{1,64}$/)
        .openapi({ description: "Name of the import, the same in each of its calls, such as a UUID" }),
    }),
    body: { required: true, content: { "application/x-ndjson": { schema: z.string() } } },
  },
  responses: {
    200: json(named("ImportReceipt", ImportReceipt), "The lines were taken"),
    ...problems(400, 409, 413, 415),
  },
});

const deleteEcosystem = createRoute({
  method: "delete",
  path: "/v1/{eco}",
  operationId: "deleteEcosystem",
  summary: "Delete an ecosystem with everything in it",
  description:
    "Closes its links and channels and empties its objects. Call it until it answers `deleted: true`. Hosts that are still " +
    "running link again, and begin a new ecosystem of the name: stop them, or delete their tokens, before.",
  tags: ["operation"],
  ...secured("admin"),
  request: {
    params: EcosystemPath,
    query: z.object({
      confirm: z.string().optional().openapi({ description: "The name of the ecosystem once more" }),
    }),
  },
  responses: { 200: json(named("Deletion", Deletion), "How far the deletion came"), ...problems(409) },
});

export const ecosystems = newApi()
  .openapi(listEcosystems, async (c) => c.json({ ecosystems: await visibleEcosystems(c.env, c.get("grant")) }, 200))
  .openapi(exportEcosystem, async (c) => {
    const { after, with_secrets } = c.req.valid("query");
    const { eco } = c.req.valid("param");
    const page = await exportPage(c.env, eco, after === "" ? undefined : after, with_secrets === "true");
    return c.json(page, 200, nextLink(c.req.url, page.next));
  })
  .openapi(importEcosystem, async (c) => {
    const { text } = await readBody(c.req.raw, ["application/x-ndjson"], IMPORT_BYTES);
    const complete = await importLines(c.env, c.req.valid("param").eco, c.req.valid("query").import, text);
    return c.json({ complete }, 200);
  })
  .openapi(deleteEcosystem, async (c) => {
    const { eco } = c.req.valid("param");
    if (c.req.valid("query").confirm !== eco) {
      const detail = `Everything in the ecosystem would be deleted. Confirm it: DELETE /v1/${eco}?confirm=${eco}`;
      throw new Refusal(problem("not-confirmed", 409, "Not confirmed", detail));
    }
    const queues = (await directory(c.env).queues(eco)).map(({ name }) => name);
    const now = queues.slice(0, MAX_QUEUES);
    const relays = (await signalLog(c.env, eco).relays()).map((name) => relayPart(c.env, eco, name));
    const own = [...relays, ...allParts(c.env, eco)];
    const parts = now.map((name) => queuePart(c.env, eco, name));
    // While all stand still, none of them makes another again by a call.
    await suspend([...own, ...parts], "delete");
    const left = queues.length - now.length;
    const erased = left > 0 ? parts : [...parts, ...own];
    await Promise.all(erased.map((part) => part.transfer({ do: "erase" })));
    await restart(erased);
    if (left > 0) await Promise.all(now.map((name) => directory(c.env).removeQueue(eco, name)));
    else await directory(c.env).forgetEcosystem(eco);
    return c.json({ deleted: left === 0, queues_left: left }, 200);
  });
