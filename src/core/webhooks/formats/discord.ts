import type { Notice } from "./notice.ts";
import { plainIn } from "./text.ts";

/** @see https://discord.com/developers/docs/resources/message#embed-object-embed-limits */
const TITLE_CHARS = 256;
const CONTENT_CHARS = 2_000;
const DESCRIPTION_CHARS = 2_500;
/** Ten of them, with title and description, are fewer characters than the 6,000 of an embed. */
const FIELD_NAME_CHARS = 40;
const FIELD_CHARS = 240;

const COLORS = { critical: 0xb3261e, error: 0xd84a3a, warning: 0xe0a100, info: 0x3b78c4, resolved: 0x2e8b57 } as const;

/** A message of Discord's webhooks. Nobody is mentioned by it, whatever its text says. */
export function discordMessage({ title, text, severity, state, details, link, time, source }: Notice): object {
  const resolved = state === "resolved";
  return {
    content: plainIn(`[${resolved ? "resolved" : severity}] ${title}`, CONTENT_CHARS),
    embeds: [
      {
        title: plainIn(title, TITLE_CHARS),
        ...(text === "" ? {} : { description: plainIn(text, DESCRIPTION_CHARS) }),
        ...(link === undefined ? {} : { url: link }),
        color: COLORS[resolved ? "resolved" : severity],
        timestamp: time,
        fields: details.map(([name, value]) => ({
          name: plainIn(name, FIELD_NAME_CHARS),
          value: plainIn(value, FIELD_CHARS),
          inline: true,
        })),
        footer: { text: plainIn(source, TITLE_CHARS) },
      },
    ],
    allowed_mentions: { parse: [] },
  };
}
