import { createRoute, z } from "@hono/zod-openapi";
import { type FinishedPlace, type FinishedQuery, placeOf, placeText } from "../../../core/queue/finished-query.ts";
import { nextLink } from "../http/next-link.ts";
import { choice, QueuePath, time, wholeNumber, words } from "../http/query.ts";
import { json, jsonText, newApi, problems, securedForTasks } from "../http/route.ts";
import { readableRecipients } from "./commands.ts";
import { existingQueue } from "./existing-queue.ts";
import { FinishedPageSchema } from "./schemas.ts";

/** A place holds two ids of tasks. */
const MAX_PLACE_CHARS = 1_024;

const placeParameter = z.preprocess(
  (value) => (value === "" ? undefined : value),
  z.string().max(MAX_PLACE_CHARS).optional(),
);

/** `next` of a page of unfinished tasks, a number, or of finished ones. */
export const anyPlace = placeParameter
  .transform((text, context): number | FinishedPlace | undefined => {
    if (text === undefined) return undefined;
    const place = /^\d{1,15}$/.test(text) ? Number(text) : placeOf(text);
    if (place !== undefined) return place;
    context.addIssue({ code: "custom", message: "give `next` of an earlier page" });
    return z.NEVER;
  })
  .openapi({ type: ["integer", "string"], description: "`next` of the page before", param: { required: false } });

const after = placeParameter
  .transform((text, context): FinishedPlace | undefined => {
    if (text === undefined) return undefined;
    const place = placeOf(text);
    if (place !== undefined) return place;
    context.addIssue({ code: "custom", message: "give `next` of an earlier page" });
    return z.NEVER;
  })
  .openapi({ type: "string", description: "`next` of the page before", param: { required: false } });

const list = createRoute({
  method: "get",
  path: "/v1/{eco}/queues/{q}/finished",
  operationId: "listFinishedTasks",
  summary: "List finished tasks, the newest first",
  description:
    "Of those that are kept: those of a day, and the last `keep_finished` of the queue. One call looks at 20,000 tasks at most, with " +
    "`text` at 5,000, so a page may be short and still have a next one. Where more than 5,000 tasks ended in six hours, " +
    "they are sorted by time in stretches of 5,000.",
  tags: ["tasks"],
  ...securedForTasks("tasks:read"),
  request: {
    params: QueuePath,
    query: z.strictObject({
      state: choice(["complete", "failed", "cancelled", "expired", "dropped"], "Only tasks that ended so"),
      recipient: words("Only tasks of this recipient"),
      type: words("Only tasks of this type"),
      since: time("Only tasks that ended at or after this"),
      until: time("Only tasks that ended before this"),
      text: words("Only tasks with this text in the first 16,384 characters of the payload, in the error or in the id"),
      limit: wholeNumber(1, 1_000, 100, "Tasks in a page"),
      after,
    }),
  },
  responses: { 200: json(FinishedPageSchema, "One page"), ...problems(404) },
});

export const finishedTasks = newApi().openapi(list, async (c) => {
  const { eco, q } = c.req.valid("param");
  const { state, since, until, ...query } = c.req.valid("query");
  const queue = await existingQueue(c.env, eco, q);
  const wanted = {
    ...query,
    outcomes: state === undefined ? undefined : [state],
    sinceMs: since,
    untilMs: until,
    recipients: readableRecipients(c.get("grant"), q),
  };
  return finishedPage(queue, wanted, c.req.url);
});

/** @param url - of the request, for the next page */
export async function finishedPage(
  queue: Awaited<ReturnType<typeof existingQueue>>,
  query: FinishedQuery,
  url: string,
) {
  const { tasks, next } = await queue.finishedTasks(query);
  const place = next === null ? null : placeText(next);
  return jsonText<z.infer<typeof FinishedPageSchema>>(
    `{"tasks":[${tasks.join(",")}],"next":${JSON.stringify(place)}}`,
    nextLink(url, place),
  );
}
