import type { Notice } from "./notice.ts";
import { cut, split } from "./text.ts";

/** @see https://docs.slack.dev/reference/block-kit/blocks */
const HEADER_CHARS = 150;
const SECTION_CHARS = 3_000;
const FIELD_CHARS = 2_000;
const MAX_FIELDS = 10;
/** Sections of text: with a header, the fields and a link, fewer than the fifty blocks of a message. */
const MAX_SECTIONS = 10;

/** Slack's own escapes: everything else in a text is as it is, so that nobody is mentioned by what a signal says. */
const escaped = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

/** A text that fits once it is escaped: an escape is never cut. */
function escapedIn(text: string, max: number): string {
  let fitting = cut(text, max);
  while (escaped(fitting).length > max)
    fitting = cut(fitting, fitting.length - Math.ceil((escaped(fitting).length - max) / 5));
  return escaped(fitting);
}

const MARKS = {
  critical: ":rotating_light:",
  error: ":red_circle:",
  warning: ":warning:",
  info: ":information_source:",
} as const;
const section = (text: string) => ({ type: "section", text: { type: "mrkdwn", text } });

/** A message of an incoming webhook of Slack. @see https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks */
export function slackMessage({ title, text, severity, state, details, link, source, time }: Notice): object {
  const mark = state === "resolved" ? ":white_check_mark:" : MARKS[severity];
  const fields = details
    .slice(0, MAX_FIELDS)
    .map(([name, value]) => ({ type: "mrkdwn", text: escapedIn(`*${name}*\n${value}`, FIELD_CHARS) }));
  return {
    text: escapedIn(`${title}${text === "" ? "" : `: ${text}`}`, SECTION_CHARS),
    blocks: [
      { type: "header", text: { type: "plain_text", text: escapedIn(title, HEADER_CHARS), emoji: false } },
      // A fifth of the limit: each character may become five.
      ...split(text, Math.floor(SECTION_CHARS / 5), MAX_SECTIONS).map((part) => section(escaped(part))),
      ...(fields.length === 0 ? [] : [{ type: "section", fields }]),
      ...(link === undefined ? [] : [section(`<${slackUrl(link)}|Show the chain>`)]),
      {
        type: "context",
        elements: [{ type: "mrkdwn", text: escapedIn(`${mark} ${severity} · ${source} · ${time}`, FIELD_CHARS) }],
      },
    ],
  };
}

const slackUrl = (url: string): string =>
  escaped(cut(url, 2_000).replaceAll("|", "%7C").replaceAll(">", "%3E").replaceAll("<", "%3C"));
