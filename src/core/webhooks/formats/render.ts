import type { Expression } from "../../policy/expression.ts";
import { messageOf } from "../delivery.ts";
import { ntfyTarget } from "../ntfy-target.ts";
import type { EndpointSettings } from "../settings.ts";
import { cloudEventMessage } from "./cloudevent.ts";
import { discordMessage } from "./discord.ts";
import { JSON_BODY, type RenderedMessage, type WebhookContent } from "./message.ts";
import { noticeOf } from "./notice.ts";
import { ntfyMessage } from "./ntfy.ts";
import { pagerdutyEvent } from "./pagerduty.ts";
import { slackMessage } from "./slack.ts";
import { teamsMessage } from "./teams.ts";
import { renderTemplate } from "./template.ts";

export interface RenderedRequest extends RenderedMessage {
  readonly url: string;
}

/**
 * The request for one message in the form that its endpoint wants. The same message and settings always give the same bytes,
 * so that all attempts send the same.
 *
 * @throws ExpressionError or WorkExceeded where the endpoint's template cannot be evaluated on this message
 */
export function renderRequest(
  url: string,
  settings: EndpointSettings,
  content: WebhookContent,
  template: Expression | undefined,
): RenderedRequest {
  if (template !== undefined) return { url, ...renderTemplate(template, content) };
  const asJson = (body: object): RenderedRequest => ({ url, contentType: JSON_BODY, body: JSON.stringify(body) });
  switch (settings.format) {
    case "cloudevents":
      return { url, ...cloudEventMessage(content) };
    case "slack":
      return asJson(slackMessage(noticeOf(content)));
    case "discord":
      return asJson(discordMessage(noticeOf(content)));
    case "teams":
      return asJson(teamsMessage(noticeOf(content)));
    case "pagerduty":
      return asJson(pagerdutyEvent(noticeOf(content), settings.routing_key ?? ""));
    case "ntfy": {
      const target = ntfyTarget(url, settings.topic) ?? { url, topic: "" };
      return { ...asJson(ntfyMessage(noticeOf(content), target.topic)), url: target.url };
    }
    case "raw":
    case undefined:
      return {
        url,
        contentType: JSON_BODY,
        body: messageOf(content.type, JSON.stringify(content.data), Date.parse(content.timestamp)),
      };
  }
}
