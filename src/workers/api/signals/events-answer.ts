import { z } from "@hono/zod-openapi";
import { BATCH_TYPE } from "../../../core/cloudevents/media-types.ts";
import { eventText } from "../../../core/cloudevents/write-event.ts";
import type { ReadPage } from "../../../core/signals/api.ts";
import { readSignalLine } from "../../../core/signals/signal-line.ts";
import { nextLink } from "../http/next-link.ts";
import { jsonText } from "../http/route.ts";

const EventsSchema = z
  .array(z.looseObject({ specversion: z.literal("1.0"), id: z.string(), source: z.string(), type: z.string() }))
  .openapi({ description: "CloudEvents 1.0; the next page is in the header Link" });

/** A batch of CloudEvents in the API's document. */
export const EVENTS = { schema: EventsSchema };

/** A page of signals as a batch of CloudEvents. A batch has no place for the next page: the header `Link` names it. */
export function eventsAnswer({ lines, next }: ReadPage, url: string) {
  return jsonText<z.infer<typeof EventsSchema>>(`[${lines.map((line) => eventText(readSignalLine(line))).join(",")}]`, {
    "Content-Type": BATCH_TYPE,
    Vary: "Accept",
    ...nextLink(url, next),
  });
}
