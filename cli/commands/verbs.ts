import type { Command } from "commander";

/**
 * The same view under its own name and as `list` or `show` of that name: `ganglion gaps`, `ganglion gaps list`,
 * `ganglion gaps show <name>`.
 *
 * @param argument - `[name]` where the view may be asked about one thing, `<name>` where it must; `undefined`: it is a list
 */
export function withArgument(command: Command, argument: string | undefined, description: string): Command {
  return argument === undefined ? command : command.argument(argument, description);
}

/** A view with its verbs. */
export function withVerbs(view: Command, ...verbs: readonly Command[]): Command {
  for (const verb of verbs) view.addCommand(verb);
  return view;
}

/** Options of a view: commander gives those that stand after a verb to the view where both know them. */
export function viewOptions<Options extends object>(command: Command): Options {
  const { parent } = command;
  const ofView = parent?.parent == null ? {} : parent.opts<Options>();
  return { ...ofView, ...command.opts<Options>() };
}

/** What an action is given: the argument, where the command has one, the options, and the command. */
export function argumentAndCommand(given: readonly unknown[]): [argument: string | undefined, command: Command] {
  const [first] = given;
  return [typeof first === "string" ? first : undefined, given.at(-1) as Command];
}
