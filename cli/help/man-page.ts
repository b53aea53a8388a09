import type { Command, Option } from "commander";
import type { Topic } from "./topics.ts";

/** The man page of the command, with all of its sub-commands and the topics, in the language of man(7). */
export function manPage(root: Command, topics: readonly Topic[], version: string): string {
  const lines = [
    `.TH GANGLION 1 "" "ganglion ${text(version)}" "Ganglion"`,
    ".SH NAME",
    `ganglion \\- ${text(root.description())}`,
    ".SH SYNOPSIS",
    ".B ganglion",
    "[options] <command> [arguments]",
    ".SH OPTIONS",
    ...root.options.flatMap(optionLines),
    ".SH COMMANDS",
    ...root.commands.flatMap((command) => commandLines(command, "")),
    ...topics.flatMap(topicLines),
  ];
  return `${lines.join("\n")}\n`;
}

function commandLines(command: Command, before: string): string[] {
  const name = `${before}${command.name()}`;
  return [
    ".TP",
    `.B ${text(name)} ${text(command.usage())}`.trimEnd(),
    text(command.summary() || command.description()),
    ...(command.options.length === 0 ? [] : [".RS", ...command.options.flatMap(optionLines), ".RE"]),
    ...command.commands.flatMap((sub) => commandLines(sub, `${name} `)),
  ];
}

const optionLines = ({ flags, description, argChoices }: Option): string[] => [
  ".TP",
  `.B ${text(flags)}`,
  text(argChoices === undefined ? description : `${description} (${argChoices.join(", ")})`),
];

const topicLines = ({ name, summary, parts }: Topic): string[] => [
  `.SH "${text(name.toUpperCase())}"`,
  text(`${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`),
  ...parts.flatMap((part) =>
    typeof part === "string"
      ? [".PP", text(part)]
      : part.flatMap(([term, meaning]) => [".TP", `.B ${text(term)}`, text(meaning)]),
  ),
];

/** Nothing in it is an instruction of the language: a backslash, a hyphen that stays one, a dot or a quote at the beginning of a line. */
const text = (plain: string): string =>
  plain
    .replaceAll("\\", "\\e")
    .replaceAll("-", "\\-")
    .replaceAll("\n", " ")
    .replace(/^(?=[.'])/, "\\&");
