import * as z from "zod";

const Argv = z.tuple([z.string().min(1, "name a program")], z.string());
/** A list is a program and its arguments; a string is a command line for /bin/sh. */
export const Command = z
  .union([z.string().min(1), Argv], 'give a list such as ["python3", "dream.py"], or a command line for the shell')
  .transform((command): [string, ...string[]] => (typeof command === "string" ? ["/bin/sh", "-c", command] : command));

/** Settings of a command, wherever one can be given. */
export const commandFields = {
  command: Command,
  /** Default, and base of a relative path: the directory of the agent's configuration. */
  cwd: z.string().min(1).optional(),
  /** Added to the agent's environment; `null` removes a variable. */
  env: z
    .record(
      z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, "a variable's name holds letters, digits and _"),
      z.string().nullable(),
    )
    .default({}),
  /** Time from SIGTERM to SIGKILL. */
  grace_ms: z.int().min(0).max(600_000).default(5_000),
};
export const CommandSettings = z.strictObject(commandFields);
export type CommandSettings = z.infer<typeof CommandSettings>;
