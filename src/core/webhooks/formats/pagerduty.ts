import type { Notice } from "./notice.ts";
import { cut } from "./text.ts";

/** @see https://developer.pagerduty.com/docs/send-alert-event */
const SUMMARY_CHARS = 1_024;
const KEY_CHARS = 255;

/** An event of PagerDuty's Events API v2. What resolves a matter resolves the incident that the matter raised. */
export function pagerdutyEvent(notice: Notice, routingKey: string): object {
  const { title, text, severity, state, key, link, source, time, details } = notice;
  const event = { routing_key: routingKey, dedup_key: cut(key, KEY_CHARS), client: "Ganglion" };
  if (state === "resolved") return { ...event, event_action: "resolve" };
  return {
    ...event,
    event_action: "trigger",
    payload: {
      summary: cut(text === "" ? title : `${title}: ${text}`, SUMMARY_CHARS),
      source: cut(source, KEY_CHARS),
      severity,
      timestamp: time,
      custom_details: Object.fromEntries(details),
    },
    ...(link === undefined ? {} : { client_url: link, links: [{ href: link, text: "Show the chain" }] }),
  };
}
