import * as z from "zod";

/** What the services take, as their documents say, and nothing beyond: a field that a service does not know is an error. */

const max = (chars: number) => z.string().min(1).max(chars);
const bytes = (limit: number) => (text: string) => new TextEncoder().encode(text).length <= limit;

const mrkdwn = (chars: number) => z.strictObject({ type: z.literal("mrkdwn"), text: max(chars).refine(isEscaped) });
const plainText = z.strictObject({
  type: z.literal("plain_text"),
  text: max(150).refine(isEscaped),
  emoji: z.boolean().optional(),
});

/** Only links that the message makes itself may stand in angle brackets; an ampersand begins an escape. */
function isEscaped(text: string): boolean {
  return !/[<>]|&(?!(?:amp|lt|gt);)/.test(text.replace(/<https?:\/\/[^|<>]+\|[^|<>]*>/g, ""));
}

/** https://docs.slack.dev/reference/block-kit/blocks */
export const SlackMessage = z.strictObject({
  text: max(40_000).refine(isEscaped),
  blocks: z
    .array(
      z.union([
        z.strictObject({ type: z.literal("header"), text: plainText }),
        z.strictObject({ type: z.literal("section"), text: mrkdwn(3_000) }),
        z.strictObject({ type: z.literal("section"), fields: z.array(mrkdwn(2_000)).min(1).max(10) }),
        z.strictObject({ type: z.literal("context"), elements: z.array(mrkdwn(3_000)).min(1).max(10) }),
      ]),
    )
    .min(1)
    .max(50),
});

/** https://discord.com/developers/docs/resources/webhook#execute-webhook */
const DiscordEmbed = z
  .strictObject({
    title: max(256),
    description: max(4_096).optional(),
    url: z.url().optional(),
    color: z.int().min(0).max(0xffffff),
    timestamp: z.iso.datetime(),
    fields: z.array(z.strictObject({ name: max(256), value: max(1_024), inline: z.boolean() })).max(25),
    footer: z.strictObject({ text: max(2_048) }),
  })
  .refine(({ title, description = "", fields, footer }) => {
    const texts = [title, description, footer.text, ...fields.flatMap(({ name, value }) => [name, value])];
    return texts.join("").length <= 6_000;
  });
export const DiscordMessage = z.strictObject({
  content: max(2_000),
  embeds: z.array(DiscordEmbed).max(10),
  allowed_mentions: z.strictObject({ parse: z.array(z.never()).max(0) }),
});

/** https://adaptivecards.io/explorer, in the envelope of a workflow's webhook */
const TextBlock = z.strictObject({
  type: z.literal("TextBlock"),
  text: z.string().min(1),
  weight: z.enum(["Default", "Lighter", "Bolder"]).optional(),
  size: z.enum(["Default", "Small", "Medium", "Large", "ExtraLarge"]).optional(),
  color: z.enum(["Default", "Dark", "Light", "Accent", "Good", "Warning", "Attention"]).optional(),
  wrap: z.boolean().optional(),
});
const FactSet = z.strictObject({
  type: z.literal("FactSet"),
  facts: z.array(z.strictObject({ title: z.string(), value: z.string() })),
});
const AdaptiveCard = z.strictObject({
  $schema: z.literal("http://adaptivecards.io/schemas/adaptive-card.json"),
  type: z.literal("AdaptiveCard"),
  version: z.enum(["1.2", "1.3", "1.4", "1.5"]),
  body: z.array(z.union([TextBlock, FactSet])).min(1),
  actions: z.array(z.strictObject({ type: z.literal("Action.OpenUrl"), title: z.string(), url: z.url() })).optional(),
});
export const TeamsMessage = z
  .strictObject({
    type: z.literal("message"),
    attachments: z
      .array(
        z.strictObject({
          contentType: z.literal("application/vnd.microsoft.card.adaptive"),
          contentUrl: z.null(),
          content: AdaptiveCard,
        }),
      )
      .length(1),
  })
  .refine((message) => bytes(28 * 1024)(JSON.stringify(message)));

/** https://developer.pagerduty.com/docs/send-alert-event */
const PagerdutyFields = {
  routing_key: z.string().length(32),
  dedup_key: max(255),
  client: z.string().optional(),
};
export const PagerdutyEvent = z.discriminatedUnion("event_action", [
  z.strictObject({ ...PagerdutyFields, event_action: z.literal("resolve") }),
  z.strictObject({
    ...PagerdutyFields,
    event_action: z.literal("trigger"),
    client_url: z.url().optional(),
    links: z.array(z.strictObject({ href: z.url(), text: z.string() })).optional(),
    payload: z.strictObject({
      summary: max(1_024),
      source: z.string().min(1),
      severity: z.enum(["critical", "error", "warning", "info"]),
      timestamp: z.iso.datetime(),
      custom_details: z.record(z.string(), z.unknown()),
    }),
  }),
]);

/** https://docs.ntfy.sh/publish/#publish-as-json */
export const NtfyMessage = z.strictObject({
  topic: z.string().regex(/^[-_A-Za-z0-9]{1,64}$/),
  title: z.string().refine(bytes(4_096)),
  message: z.string().min(1).refine(bytes(4_096)),
  priority: z.int().min(1).max(5),
  tags: z.array(z.string()),
  click: z.url().optional(),
});

export const SERVICES = {
  slack: SlackMessage,
  discord: DiscordMessage,
  teams: TeamsMessage,
  pagerduty: PagerdutyEvent,
  ntfy: NtfyMessage,
} as const;
