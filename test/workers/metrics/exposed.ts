/** The samples of a scrape, by their names with labels. */
export type Samples = ReadonlyMap<string, number>;

export const readSamples = (text: string): Samples =>
  new Map(
    text
      .split("\n")
      .filter((line) => line !== "" && !line.startsWith("#"))
      .map((line) => {
        const end = line.lastIndexOf(" ");
        return [line.slice(0, end), Number(line.slice(end + 1))];
      }),
  );

/** Counters, and parts of histograms, that are lower than they were, or gone. */
export const fallen = (before: Samples, after: Samples): string[] =>
  [...before.keys()].filter(
    (key) => /_(?:total|bucket|sum|count)(?:\{|$)/.test(key) && (after.get(key) ?? -1) < (before.get(key) ?? 0),
  );
