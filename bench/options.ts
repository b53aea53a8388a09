/** What `npm run bench` was asked for. */
export interface BenchOptions {
  readonly benches: readonly string[];
  /** Prints a table of all figures at the end, in Markdown. */
  readonly markdown: boolean;
  readonly help: boolean;
  /** Another checkout of the project, whose edge does the works of "compared" as well. */
  readonly before?: string;
}

/** The bench that compares. */
const COMPARED = "compared";

/** @throws a text that says what is wrong */
export function benchOptions(args: readonly string[], known: readonly string[]): BenchOptions {
  const { before, others } = takeBefore(args);
  const names = others.filter((arg) => !arg.startsWith("-"));
  const flags = new Set(others.filter((arg) => arg.startsWith("-")));
  const markdown = flags.delete("--md");
  const help = flags.delete("--help");
  const [flag] = flags;
  if (flag !== undefined) throw new Error(`there is no option ${flag}, only --md, --before DIR and --help`);
  const unknown = names.filter((name) => name !== "all" && !known.includes(name));
  if (unknown.length > 0)
    throw new Error(`no bench is called ${unknown.join(", ")}; there are all, ${known.join(", ")}`);
  const benches = names.length === 0 || names.includes("all") ? known : names;
  if (before !== undefined && !benches.includes(COMPARED))
    throw new Error(`--before is for the bench ${COMPARED}, which is not among those to run`);
  return { benches, markdown, help, ...(before !== undefined && { before }) };
}

/** `--before DIR` or `--before=DIR`, and the other arguments. */
function takeBefore(args: readonly string[]): { readonly before?: string; readonly others: readonly string[] } {
  const place = args.findIndex((arg) => arg === "--before" || arg.startsWith("--before="));
  const given = args[place];
  if (given === undefined) return { others: args };
  const apart = given === "--before";
  const before = apart ? args[place + 1] : given.slice("--before=".length);
  if (before === undefined || before === "" || (apart && before.startsWith("-")))
    throw new Error("--before needs the directory of another checkout of the project");
  return { before, others: args.toSpliced(place, apart ? 2 : 1) };
}
