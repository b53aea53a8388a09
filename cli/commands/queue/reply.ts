import { Command } from "commander";
import { Failure } from "../../failure.ts";
import { print } from "../../output.ts";
import { clientFor, wantsJson } from "../../settings.ts";
import { queueOption } from "./tasks.ts";

export const replyCommand = () =>
  new Command("reply")
    .summary("get the reply to an earlier call, which came after its time was over")
    .argument("<correlation id>", "id of the call, as `ganglion call` has said it")
    .option(...queueOption)
    .addHelpText(
      "after",
      "\nPrints the result as JSON; with --json the whole reply. Exit code 1 while there is no reply yet. A reply is kept as long as\n" +
        "finished tasks are.",
    )
    .action(async (id: string, { queue }: { queue: string }, command: Command) => {
      const reply = await clientFor(command).queues.reply(queue, id);
      if (wantsJson(command)) await print(JSON.stringify(reply));
      if ("status" in reply)
        throw new Failure(
          `the call ${id} has no reply yet, it is ${reply.status}: ask again later, or see ganglion tasks show ${id} --queue ${queue}`,
        );
      if (!wantsJson(command)) await print(JSON.stringify(reply.result));
    });
