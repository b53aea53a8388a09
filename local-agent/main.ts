import { program } from "./app/program.ts";
import { ExpectedError } from "./base/service.ts";

program()
  .parseAsync(process.argv)
  .catch((error: unknown) => {
    if (error instanceof ExpectedError) process.stderr.write(`${error.message}\n`);
    else console.error(error);
    process.exit(1);
  });
