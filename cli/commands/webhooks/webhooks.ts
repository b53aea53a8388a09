import { Command } from "commander";
import type { DeliveryView } from "../../../src/core/webhooks/delivery.ts";
import type { Endpoint } from "../../../src/core/webhooks/endpoint.ts";
import { wholeNumber } from "../../arguments.ts";
import { Failure } from "../../failure.ts";
import { type Column, print, printFields, printLines, printTable, remark } from "../../output.ts";
import { clientFor, type GlobalOptions } from "../../settings.ts";

const wantsJson = (command: Command) => command.optsWithGlobals<GlobalOptions>().json === true;

const columns: readonly Column<Endpoint>[] = [
  ["ID", ({ id }) => id],
  ["ENABLED", ({ enabled, disabled_reason }) => (enabled ? "yes" : disabled_reason === "gone" ? "no (gone)" : "no")],
  ["WAITING", ({ waiting }) => waiting],
  ["FAILING SINCE", ({ failing_since }) => failing_since],
  ["LAST ERROR", ({ last_error }) => last_error],
  ["URL", ({ url }) => url],
];

const deliveryColumns: readonly Column<DeliveryView>[] = [
  ["ACCEPTED", ({ accepted_at }) => accepted_at],
  ["ID", ({ id }) => id],
  ["TYPE", ({ type }) => type],
  ["STATE", ({ state }) => state],
  ["ATTEMPTS", ({ attempts }) => attempts],
  ["STATUS", ({ last_status }) => last_status],
  ["NEXT TRY", ({ next_attempt_at }) => next_attempt_at],
  ["LAST ERROR", ({ last_error }) => last_error],
];

interface AddOptions {
  readonly description?: string;
  readonly secret?: string;
  readonly disabled?: boolean;
}

export const webhooksCommand = () =>
  new Command("webhooks")
    .summary("services that get messages: list, add, test, see what was sent")
    .addHelpText("after", "\nWithout a command: lists them.")
    .action((_options: object, command: Command) => list(command))
    .addCommand(
      new Command("list")
        .summary("endpoints, and how they fare")
        .addHelpText("after", "\nWith --json: one endpoint a line.")
        .action((_options: object, command: Command) => list(command)),
    )
    .addCommand(
      new Command("add")
        .summary("make an endpoint, or put it anew; its secret is shown this once")
        .argument("<id>", "what rules call it, such as alerts")
        .argument("<url>", "where messages go")
        .option("--description <text>", "what it is for")
        .option("--secret <whsec_...>", "its secret (default: one is made)")
        .option("--disabled", "leave it switched off")
        .addHelpText("after", "\nWith --json: one document, with a secret that was made in `secret`.")
        .action(async (id: string, url: string, options: AddOptions, command: Command) => {
          const { description, secret, disabled } = options;
          const made = await clientFor(command).webhooks.put(id, {
            url,
            description,
            secret,
            enabled: disabled !== true,
          });
          if (wantsJson(command)) return print(JSON.stringify(made));
          await printFields({
            id,
            url: made.url,
            enabled: made.enabled ? "yes" : "no",
            secret: made.secret ?? "as it was",
          });
        }),
    )
    .addCommand(
      new Command("remove")
        .summary("delete an endpoint, and what waits for it")
        .argument("<id>")
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
        .summary("make a new secret; the old one signs along for a day")
        .argument("<id>")
        .addHelpText("after", "\nWith --json: one document, with the secret in `secret`.")
        .action(async (id: string, _options: object, command: Command) => {
          const rotated = await clientFor(command).webhooks.rotateSecret(id);
          if (wantsJson(command)) return print(JSON.stringify(rotated));
          await printFields({ id, secret: rotated.secret, "old one until": rotated.old_secret_until });
        }),
    )
    .addCommand(
      new Command("test")
        .summary("send a test message now, and say what came of it")
        .argument("<id>")
        .addHelpText("after", "\nFails (exit code 1) when it was not taken. With --json: one document.")
        .action(async (id: string, _options: object, command: Command) => {
          const outcome = await clientFor(command).webhooks.test(id);
          if (wantsJson(command)) await print(JSON.stringify(outcome));
          else
            await printFields({
              delivered: outcome.delivered ? "yes" : "no",
              status: outcome.status,
              ms: outcome.duration_ms,
            });
          if (!outcome.delivered) throw new Failure(outcome.error ?? "the message was not taken");
        }),
    )
    .addCommand(
      new Command("deliveries")
        .summary("what waits for an endpoint, and what ended lately")
        .argument("<id>")
        .option("--limit <n>", "how many, newest first (default: 100)", wholeNumber(1, 1_200))
        .addHelpText("after", "\nWith --json: one delivery a line.")
        .action(async (id: string, { limit = 100 }: { limit?: number }, command: Command) => {
          const deliveries = await clientFor(command).webhooks.deliveries(id, limit);
          if (wantsJson(command)) return printLines(deliveries);
          await printTable(deliveries, deliveryColumns, "nothing was sent yet");
        }),
    );

async function list(command: Command): Promise<void> {
  const endpoints = await clientFor(command).webhooks.list();
  if (wantsJson(command)) return printLines(endpoints);
  await printTable(endpoints, columns, "no webhooks");
}

function switchCommand(name: string, enabled: boolean): Command {
  return new Command(name)
    .summary(enabled ? "switch an endpoint on" : "switch an endpoint off; what comes for it is skipped")
    .argument("<id>")
    .action(async (id: string, _options: object, command: Command) => {
      const endpoint = await clientFor(command).webhooks.change(id, { enabled });
      if (wantsJson(command)) return print(JSON.stringify(endpoint));
      await printFields({ id, enabled: endpoint.enabled ? "yes" : "no", waiting: endpoint.waiting });
      if (!enabled && endpoint.waiting > 0) remark("what waits for it stays for a day, and goes on when it is enabled");
    });
}
