import type { Notice } from "./notice.ts";
import { plainIn } from "./text.ts";

const TITLE_CHARS = 300;
/** A card takes 28 KB at most; characters take up to three bytes each. */
const TEXT_CHARS = 4_000;

const COLORS = { critical: "Attention", error: "Attention", warning: "Warning", info: "Accent" } as const;

/**
 * An Adaptive Card in the envelope that the workflows of Microsoft Teams take.
 *
 * @see https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using
 */
export function teamsMessage({ title, text, severity, state, details, link, source, time }: Notice): object {
  const facts = [
    ["severity", state === "resolved" ? "resolved" : severity],
    ["source", source],
    ["time", time],
    ...details,
  ];
  const card = {
    $schema: "http://adaptivecards.io/schemas/adaptive-card.json",
    type: "AdaptiveCard",
    version: "1.4",
    body: [
      {
        type: "TextBlock",
        text: plainIn(title, TITLE_CHARS),
        weight: "Bolder",
        size: "Medium",
        color: state === "resolved" ? "Good" : COLORS[severity],
        wrap: true,
      },
      ...(text === "" ? [] : [{ type: "TextBlock", text: plainIn(text, TEXT_CHARS), wrap: true }]),
      {
        type: "FactSet",
        facts: facts.map(([name = "", value = ""]) => ({
          title: plainIn(name, TITLE_CHARS),
          value: plainIn(value, TITLE_CHARS),
        })),
      },
    ],
    ...(link === undefined ? {} : { actions: [{ type: "Action.OpenUrl", title: "Show the chain", url: link }] }),
  };
  return {
    type: "message",
    attachments: [{ contentType: "application/vnd.microsoft.card.adaptive", contentUrl: null, content: card }],
  };
}
