import type { Command, Option } from "commander";

/** A word that may stand at the cursor. */
export interface Candidate {
  readonly word: string;
  readonly meaning: string;
}

/** Values of options that are known on this machine, by the option's long name. */
export type KnownValues = Readonly<Record<string, () => readonly string[]>>;

/**
 * What may stand in the place of the last of `words`, which is what has been typed of it, and may be empty.
 *
 * @param words - what follows `ganglion`
 * @returns nothing where any text may stand, such as the name of a file
 */
export function candidates(root: Command, words: readonly string[], known: KnownValues = {}): Candidate[] {
  const typed = words.at(-1) ?? "";
  let command = root;
  let inherited: readonly Option[] = [];
  let wanting: Option | undefined;
  let position = 0;
  for (const word of words.slice(0, -1)) {
    if (wanting !== undefined) {
      wanting = undefined;
      continue;
    }
    if (word.startsWith("-")) {
      const option = [...command.options, ...inherited].find(({ long, short }) => word === long || word === short);
      if (option?.required === true) wanting = option;
      continue;
    }
    const sub = position === 0 ? named(command, word) : undefined;
    if (sub === undefined) position++;
    else {
      inherited = [...inherited, ...command.options];
      command = sub;
    }
  }
  const all = wanting === undefined ? places(command, inherited, position, typed) : valuesOf(wanting, known);
  return all.filter(({ word }) => word.startsWith(typed));
}

const named = (command: Command, word: string) =>
  command.commands.find((sub) => sub.name() === word || sub.aliases().includes(word));

function places(command: Command, inherited: readonly Option[], position: number, typed: string): Candidate[] {
  if (typed.startsWith("-")) {
    const options = [...command.options, ...inherited].flatMap(({ long, short, description }) =>
      long === undefined || short === typed ? [] : [{ word: long, meaning: description }],
    );
    return [...options, { word: "--help", meaning: "show help" }];
  }
  const argument = command.registeredArguments[position] ?? lastIfMany(command);
  const choices = (argument?.argChoices ?? []).map((word) => ({ word, meaning: argument?.description ?? "" }));
  const subs = position > 0 ? [] : command.commands.map((sub) => ({ word: sub.name(), meaning: sub.summary() }));
  return [...subs, ...choices];
}

function lastIfMany({ registeredArguments }: Command) {
  const last = registeredArguments.at(-1);
  return last?.variadic === true ? last : undefined;
}

function valuesOf({ long, argChoices, description }: Option, known: KnownValues): Candidate[] {
  const words = argChoices ?? known[long ?? ""]?.() ?? [];
  return words.map((word) => ({ word, meaning: description }));
}
