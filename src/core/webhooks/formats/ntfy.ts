import type { Notice } from "./notice.ts";
import { cut } from "./text.ts";

const TITLE_CHARS = 250;
/** ntfy turns a message above 4,096 bytes into an attachment; a character takes up to three bytes. */
const TEXT_CHARS = 1_300;

const PRIORITIES = { critical: 5, error: 4, warning: 3, info: 2 } as const;
const TAGS = {
  critical: "rotating_light",
  error: "red_circle",
  warning: "warning",
  info: "information_source",
} as const;

/** A message as JSON for a server of ntfy. @see https://docs.ntfy.sh/publish/#publish-as-json */
export function ntfyMessage({ title, text, severity, state, link, source }: Notice, topic: string): object {
  const resolved = state === "resolved";
  return {
    topic,
    title: cut(title, TITLE_CHARS),
    message: cut(text === "" ? title : text, TEXT_CHARS),
    priority: resolved ? PRIORITIES.info : PRIORITIES[severity],
    tags: [resolved ? "white_check_mark" : TAGS[severity], cut(source, 60)],
    ...(link === undefined ? {} : { click: link }),
  };
}
