import { program } from "./program.ts";
import { ExpectedError } from "./service.ts";

program()
  .parseAsync(process.argv)
  .catch((error: unknown) => {
    if (error instanceof ExpectedError) process.stderr.write(`${error.message}\n`);
    else console.error(error);
    process.exit(1);
  });
