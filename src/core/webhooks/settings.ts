import * as z from "zod";
import { FORMATS } from "./format-names.ts";
import { NTFY_TOPIC } from "./ntfy-target.ts";

/** Headers that belong to the connection, to the body, or to the signature: the edge sets them. */
const OWN_HEADERS =
  /^(connection|keep-alive|proxy-.*|te|trailer|transfer-encoding|upgrade|host|expect|content-(length|encoding|type)|webhook-.*|cf-.*|x-forwarded-.*|forwarded)$/i;
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}$/;
const HEADER_RULE = "the name of a header holds letters, digits and - (64 characters at most)";
const MAX_HEADERS = 20;

const Headers = z
  .record(
    z
      .string()
      .regex(HEADER_NAME, { message: HEADER_RULE })
      .refine((name) => !OWN_HEADERS.test(name), {
        message: "the edge sets this header itself, or it belongs to the connection: leave it out",
      }),
    z
      .string()
      .regex(/^[\x20-\x7e]{0,4096}$/, { message: "a header's value is printable ASCII (4,096 characters at most)" }),
  )
  .refine((headers) => Object.keys(headers).length <= MAX_HEADERS, { message: `give ${MAX_HEADERS} headers at most` });

/** How an endpoint wants its messages, and what it wants beside them. */
export const SettingsInput = {
  format: z.enum(FORMATS).meta({ description: "The form of the messages; raw, the default: as Standard Webhooks" }),
  template: z.string().min(1).max(4_096).nullable().meta({
    description: "An expression in CEL whose value is the body: a text as it is, anything else as JSON; null: none",
  }),
  headers: Headers.meta({ description: "Headers of each request; their values are not shown again" }),
  routing_key: z
    .string()
    .regex(/^[A-Za-z0-9_-]{8,64}$/, { message: "give the integration key of a service of PagerDuty" })
    .meta({ description: "The integration key of PagerDuty; it is not shown again" }),
  topic: z
    .string()
    .regex(NTFY_TOPIC, { message: "a topic holds letters, digits, - and _ (64 at most)" })
    .meta({ description: "The topic of ntfy; default: the last part of the URL's path" }),
  questions: z
    .array(
      z.string().regex(/^[A-Za-z0-9._:@~-]{0,127}\*?$/, {
        message: "give recipients, or beginnings of names with a * at the end",
      }),
    )
    .max(50)
    .meta({
      description: "Recipients whose questions are sent here, with a link that answers; `*`: all. Default: none",
    }),
  handshake: z.boolean().meta({
    description: "Ask the endpoint whether it takes messages before any is sent, as webhooks of CloudEvents do",
  }),
};

/** What an endpoint allowed when it was asked. */
export const Permission = z.object({
  /** Messages a minute; null: any number. */
  rate: z.number().nullable(),
  at_ms: z.number(),
});
export type Permission = z.infer<typeof Permission>;

/** The settings as they are stored. An absent one has its default. */
export const EndpointSettings = z
  .object({
    format: SettingsInput.format,
    template: z.string(),
    headers: z.record(z.string(), z.string()),
    routing_key: z.string(),
    topic: z.string(),
    handshake: z.boolean(),
    questions: z.array(z.string()),
    /** Where people find the dashboard: the origin through which the endpoint was set last. */
    edge: z.string(),
    permission: Permission,
  })
  .partial();
export type EndpointSettings = z.infer<typeof EndpointSettings>;
