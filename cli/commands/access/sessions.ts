import { Command } from "commander";
import type { SessionRecord } from "../../../src/core/access/session.ts";
import { at, type Column, print, printFields, printLines, printTable } from "../../output.ts";
import { clientFor, wantsJson } from "../../settings.ts";

const columns: readonly Column<SessionRecord>[] = [
  ["ID", ({ id }) => id, "key"],
  ["TOKEN", ({ token_name }) => token_name, "text"],
  ["MAY", ({ act }) => (act ? "act" : "read")],
  ["BEGAN", ({ created_at }) => at(created_at), "whole"],
  ["USED", ({ used_at }) => at(used_at), "whole"],
  ["ENDS", ({ expires_at }) => at(expires_at), "whole"],
];

export const sessionsCommand = () =>
  new Command("sessions")
    .summary("list and end the sessions of browsers")
    .addCommand(
      new Command("list")
        .summary("list the sessions of this token; an administrator sees those of every token")
        .addHelpText("after", "\nWith --json: one session a line.")
        .action(async (_options: object, command: Command) => {
          const sessions = await clientFor(command).sessions.list();
          if (wantsJson(command)) return printLines(sessions);
          await printTable(sessions, columns, "no sessions; ganglion open begins one");
        }),
      { isDefault: true },
    )
    .addCommand(
      new Command("delete")
        .alias("end")
        .summary("end a session, and close its streams")
        .argument("<id>", "id of the session, as the list shows it")
        .addHelpText("after", "\nWith --json: one document.")
        .action(async (id: string, _options: object, command: Command) => {
          await clientFor(command).sessions.end(id);
          if (wantsJson(command)) return print(JSON.stringify({ id, ended: true }));
          await printFields({ ended: id });
        }),
    );
