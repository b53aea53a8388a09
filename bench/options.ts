/** What `npm run bench` was asked for. */
export interface BenchOptions {
  readonly benches: readonly string[];
  /** Prints a table of all figures at the end, in Markdown. */
  readonly markdown: boolean;
  readonly help: boolean;
}

/** @throws a text that says what is wrong */
export function benchOptions(args: readonly string[], known: readonly string[]): BenchOptions {
  const names = args.filter((arg) => !arg.startsWith("-"));
  const flags = new Set(args.filter((arg) => arg.startsWith("-")));
  const markdown = flags.delete("--md");
  const help = flags.delete("--help");
  const [flag] = flags;
  if (flag !== undefined) throw new Error(`there is no option ${flag}, only --md and --help`);
  const unknown = names.filter((name) => name !== "all" && !known.includes(name));
  if (unknown.length > 0)
    throw new Error(`no bench is called ${unknown.join(", ")}; there are all, ${known.join(", ")}`);
  return { benches: names.length === 0 || names.includes("all") ? known : names, markdown, help };
}
