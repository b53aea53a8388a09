import * as z from "zod";

const Argv = z.tuple([z.string().min(1, "name a program")], z.string());
/** A list is a program and its arguments; a text is given to /bin/sh. */
export const Command = z
  .union([z.string().min(1), Argv], 'give a list such as ["python3", "dream.py"], or a text for the shell')
  .transform((command): [string, ...string[]] => (typeof command === "string" ? ["/bin/sh", "-c", command] : command));

/** What runs, wherever a command can be given. */
export const commandFields = {
  command: Command,
  /** Default: the directory of the agent's configuration, which is also where a relative one starts. */
  cwd: z.string().min(1).optional(),
  /** Over the agent's environment; `null` takes a variable away. */
  env: z
    .record(
      z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, "a variable's name holds letters, digits and _"),
      z.string().nullable(),
    )
    .default({}),
  /** Between SIGTERM and SIGKILL. */
  grace_ms: z.int().min(0).max(600_000).default(5_000),
};
export const CommandSettings = z.strictObject(commandFields);
export type CommandSettings = z.infer<typeof CommandSettings>;
