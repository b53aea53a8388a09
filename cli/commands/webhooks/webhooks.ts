import { Command, Option } from "commander";
import type { DeliveryView, Endpoint } from "../../../src/core/webhooks/api.ts";
import { FORMATS } from "../../../src/core/webhooks/format-names.ts";
import { wholeNumber } from "../../arguments.ts";
import { Failure, UsageError } from "../../failure.ts";
import { at, type Column, print, printFields, printLines, printTable, remark } from "../../output.ts";
import { clientFor, wantsJson } from "../../settings.ts";
import { readSecret, readText } from "../secret-file.ts";

function formatOf({ format = "raw", template }: Pick<Endpoint, "format" | "template">): string {
  return template === undefined ? format : "template";
}

const columns: readonly Column<Endpoint>[] = [
  ["ID", ({ id }) => id, "key"],
  [
    "ENABLED",
    ({ enabled, disabled_reason }) => (enabled ? "yes" : disabled_reason === "gone" ? "no (gone)" : "no"),
    "state",
  ],
  ["WAITING", ({ waiting }) => waiting],
  ["FAILING SINCE", ({ failing_since }) => at(failing_since), "whole"],
  ["LAST ERROR", ({ last_error }) => last_error, "text"],
  ["URL", ({ url }) => url, "text"],
  ["FORMAT", formatOf],
];

const deliveryColumns: readonly Column<DeliveryView>[] = [
  ["ACCEPTED", ({ accepted_at }) => at(accepted_at), "whole"],
  ["ID", ({ id }) => id, "key"],
  ["TYPE", ({ type }) => type],
  ["STATE", ({ state }) => state, "state"],
  ["ATTEMPTS", ({ attempts }) => attempts],
  ["STATUS", ({ last_status }) => last_status],
  ["NEXT ATTEMPT", ({ next_attempt_at }) => at(next_attempt_at), "whole"],
  ["LAST ERROR", ({ last_error }) => last_error, "text"],
];

interface AddOptions {
  readonly description?: string;
  readonly secret?: string;
  readonly disabled?: boolean;
  readonly format?: (typeof FORMATS)[number];
  readonly template?: string;
  readonly headersFile?: string;
  readonly routingKeyFile?: string;
  readonly topic?: string;
  readonly handshake?: boolean;
  readonly questions?: string[];
}

/** What of an endpoint's settings was given. Secrets come from files. */
async function settingsOf({ format, template, headersFile, routingKeyFile, topic, handshake, questions }: AddOptions) {
  return {
    ...(format === undefined ? {} : { format }),
    ...(template === undefined ? {} : { template }),
    ...(headersFile === undefined ? {} : { headers: await readHeaders(headersFile) }),
    ...(routingKeyFile === undefined ? {} : { routing_key: await readSecret(routingKeyFile, "key") }),
    ...(topic === undefined ? {} : { topic }),
    ...(handshake === undefined ? {} : { handshake }),
    ...(questions === undefined ? {} : { questions }),
  };
}

const names = (text: string): string[] => text.split(",").map((name) => name.trim());

/** Reads a file with one header a line, `Name: value`. */
async function readHeaders(file: string): Promise<Record<string, string>> {
  const headers: Record<string, string> = {};
  for (const [place, line] of (await readText(file)).split("\n").entries()) {
    if (line.trim() === "") continue;
    const [, name, value] = /^\s*([^:\s]+)\s*:\s*(.*?)\s*$/.exec(line) ?? [];
    if (name === undefined || value === undefined)
      throw new UsageError(`${file}, line ${place + 1}: write a header as Name: value`);
    headers[name] = value;
  }
  return headers;
}

export const webhooksCommand = () =>
  new Command("webhooks")
    .summary("webhook endpoints: list, set, delete, test, show deliveries")
    .addHelpText("after", "\nWithout a command: lists the endpoints.")
    .action((_options: object, command: Command) => list(command))
    .addCommand(
      new Command("list")
        .summary("list endpoints with their state")
        .addHelpText("after", "\nWith --json: one endpoint a line.")
        .action((_options: object, command: Command) => list(command)),
    )
    .addCommand(
      new Command("set")
        .alias("add")
        .summary("add or replace an endpoint; its secret is shown only now")
        .argument("<id>", "name that rules use for the endpoint, such as alerts")
        .argument("<url>", "URL that receives the messages")
        .option("--description <text>", "purpose of the endpoint")
        .option("--secret <whsec_...>", "secret of the endpoint (default: generated)")
        .option("--disabled", "add the endpoint switched off")
        .addOption(new Option("--format <format>", "form of the messages (default: raw)").choices(FORMATS))
        .option("--template <expression>", "expression in CEL that makes the body")
        .option("--headers-file <file>", "file with a header of each request a line, `Name: value`; - reads the input")
        .option("--routing-key-file <file>", "file with the integration key of PagerDuty; - reads the input")
        .option("--topic <topic>", "topic of ntfy (default: the last part of the URL)")
        .option("--handshake", "ask the endpoint first whether it takes messages")
        .option("--questions <recipients>", "recipients whose questions are sent there, with commas; *: all", names)
        .addHelpText("after", "\nWith --json: one document, with a generated secret in `secret`.")
        .action(async (id: string, url: string, options: AddOptions, command: Command) => {
          const { description, secret, disabled } = options;
          const made = await clientFor(command).webhooks.put(id, {
            url,
            description,
            secret,
            enabled: disabled !== true,
            ...(await settingsOf(options)),
          });
          if (wantsJson(command)) return print(JSON.stringify(made));
          await printFields({
            id,
            url: made.url,
            enabled: made.enabled ? "yes" : "no",
            format: formatOf(made),
            secret: made.secret ?? "unchanged",
          });
        }),
    )
    .addCommand(
      new Command("delete")
        .alias("remove")
        .summary("delete an endpoint; the deliveries that wait for it become dead letters")
        .argument("<id>", "id of the endpoint")
        .action(async (id: string, _options: object, command: Command) => {
          await clientFor(command).webhooks.remove(id);
          if (wantsJson(command)) return print(JSON.stringify({ id, deleted: true }));
          await printFields({ deleted: id });
        }),
    )
    .addCommand(switchCommand("enable", true))
    .addCommand(switchCommand("disable", false))
    .addCommand(
      new Command("rotate")
        .summary("generate a new secret; messages are signed with both for a day")
        .argument("<id>", "id of the endpoint")
        .addHelpText("after", "\nWith --json: one document, with the secret in `secret`.")
        .action(async (id: string, _options: object, command: Command) => {
          const rotated = await clientFor(command).webhooks.rotateSecret(id);
          if (wantsJson(command)) return print(JSON.stringify(rotated));
          await printFields({ id, secret: rotated.secret, "old secret until": rotated.old_secret_until });
        }),
    )
    .addCommand(
      new Command("test")
        .summary("send a test message now and show its result")
        .argument("<id>", "id of the endpoint")
        .addHelpText("after", "\nExit code 1 when the endpoint did not accept the message. With --json: one document.")
        .action(async (id: string, _options: object, command: Command) => {
          const outcome = await clientFor(command).webhooks.test(id);
          if (wantsJson(command)) await print(JSON.stringify(outcome));
          else
            await printFields({
              delivered: outcome.delivered ? "yes" : "no",
              status: outcome.status,
              ms: outcome.duration_ms,
            });
          if (!outcome.delivered) throw new Failure(outcome.error ?? "the endpoint did not accept the message");
        }),
    )
    .addCommand(
      new Command("deliveries")
        .summary("list the waiting and the recently ended deliveries of an endpoint")
        .argument("<id>", "id of the endpoint")
        .option("--limit <n>", "maximum number of deliveries, newest first (default: 100)", wholeNumber(1, 1_200))
        .addHelpText("after", "\nWith --json: one delivery a line.")
        .action(async (id: string, { limit = 100 }: { limit?: number }, command: Command) => {
          const deliveries = await clientFor(command).webhooks.deliveries(id, limit);
          if (wantsJson(command)) return printLines(deliveries);
          await printTable(deliveries, deliveryColumns, "no deliveries");
        }),
    );

async function list(command: Command): Promise<void> {
  const endpoints = await clientFor(command).webhooks.list();
  if (wantsJson(command)) return printLines(endpoints);
  await printTable(endpoints, columns, "no webhook endpoints");
}

function switchCommand(name: string, enabled: boolean): Command {
  return new Command(name)
    .summary(enabled ? "switch an endpoint on" : "switch an endpoint off; new deliveries to it are skipped")
    .argument("<id>", "id of the endpoint")
    .action(async (id: string, _options: object, command: Command) => {
      const endpoint = await clientFor(command).webhooks.change(id, { enabled });
      if (wantsJson(command)) return print(JSON.stringify(endpoint));
      await printFields({ id, enabled: endpoint.enabled ? "yes" : "no", waiting: endpoint.waiting });
      if (!enabled && endpoint.waiting > 0)
        remark("waiting deliveries are kept for a day, and sent when the endpoint is switched on");
    });
}
