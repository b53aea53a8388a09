import { MailMessage, MailPage, ReceivedMail, SentMail } from "../../../core/mail/api.ts";
import { named } from "../http/schema-parts.ts";

/** Names, in the OpenAPI document, for the answers about mail. The shapes are those of src/core/mail/api.ts. */
export const MessageSchema = named("MailMessage", MailMessage);
const messages = (description: string) => MessageSchema.array().readonly().meta({ description });
export const MailPageSchema = named("MailPage", MailPage.extend({ messages: messages("Messages of this page") }));
export const ReceivedSchema = named(
  "ReceivedMail",
  ReceivedMail.extend({ messages: messages("Those that were not delivered before, oldest first") }),
);
export const SentMailSchema = named("SentMail", SentMail);
