import { CommanderError } from "commander";
import { ExpectedError } from "../base/service.ts";
import { program } from "./program.ts";

// Exit codes: 0 success, 1 failure, 2 wrong usage.
// The output of `check`, `doctor` and the like; a running agent writes its log to standard error.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(0);
  process.stderr.write(`ganglion-agent: the output cannot be written: ${error.message}\n`);
  process.exit(1);
});

program()
  .parseAsync(process.argv)
  .catch((error: unknown) => {
    // Commander has printed the help or the reason already. The output may still be on its way: no `process.exit` here.
    if (error instanceof CommanderError) {
      process.exitCode = error.exitCode === 0 ? 0 : 2;
      return;
    }
    if (error instanceof ExpectedError) process.stderr.write(`${error.message}\n`);
    else console.error(error);
    process.exit(1);
  });
