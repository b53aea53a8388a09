import { describe, expect, test } from "vitest";
import { comparativeScanner } from "../../../../src/core/introspection/scanners/comparative-scanner.ts";
import { compareMeans, compareShares, holmLimit } from "../../../../src/core/numbers/difference.ts";
import { aSample, seeded } from "./a-sample.ts";

const open = (settings = {}) => comparativeScanner.open(comparativeScanner.settings.parse(settings));

interface Side {
  readonly name: string;
  readonly tries: number;
  readonly successes: number;
  readonly ttrMs?: number;
}

function found(sides: readonly Side[], settings = {}, kind = "variant") {
  const scanner = open(settings);
  let seq = 0;
  for (const { name, tries, successes, ttrMs } of sides) {
    for (let n = 0; n < tries; n++) {
      scanner.observe(aSample(++seq, { [kind]: name }, { niche: "sql", ok: n < successes, ttrMs: ttrMs ?? null }));
    }
  }
  return [...scanner.findings()];
}

describe("the comparative scanner", () => {
  test.each<[string, Side[], string[]]>([
    [
      "nine tries are too few",
      [
        { name: "a", tries: 9, successes: 9 },
        { name: "b", tries: 50, successes: 0 },
      ],
      [],
    ],
    [
      "ten against ten are enough for the clearest",
      [
        { name: "a", tries: 10, successes: 10 },
        { name: "b", tries: 10, successes: 0 },
      ],
      ["breach worse_variant_sql_b"],
    ],
    [
      "equals are equal",
      [
        { name: "a", tries: 500, successes: 400 },
        { name: "b", tries: 500, successes: 400 },
      ],
      [],
    ],
    [
      "a difference that chance makes",
      [
        { name: "a", tries: 20, successes: 16 },
        { name: "b", tries: 20, successes: 13 },
      ],
      [],
    ],
    [
      "a difference that does not matter, however sure",
      [
        { name: "a", tries: 90_000, successes: 86_400 },
        { name: "b", tries: 90_000, successes: 84_000 },
      ],
      ["hold worse_variant_sql_b"],
    ],
    [
      "the same share of more tries is sure",
      [
        { name: "a", tries: 200, successes: 160 },
        { name: "b", tries: 200, successes: 110 },
      ],
      ["breach worse_variant_sql_b"],
    ],
    ["one alone is compared with nobody", [{ name: "a", tries: 500, successes: 0 }], []],
    [
      "steady times that differ",
      [
        { name: "a", tries: 10, successes: 10, ttrMs: 100 },
        { name: "b", tries: 10, successes: 10, ttrMs: 300 },
      ],
      ["breach worse_variant_sql_b"],
    ],
    [
      "steady times that differ by less than matters",
      [
        { name: "a", tries: 10, successes: 10, ttrMs: 100 },
        { name: "b", tries: 10, successes: 10, ttrMs: 104 },
      ],
      [],
    ],
  ])("%s", (_, sides, expected) => {
    expect(found(sides).map(({ verdict, name }) => `${verdict} ${name}`)).toEqual(expected);
  });

  test("names the worse, what it was compared with, and how sure it is", () => {
    const [finding] = found([
      { name: "old", tries: 40, successes: 38 },
      { name: "new", tries: 40, successes: 12 },
    ]);
    expect(finding?.reason).toContain("variant new succeeds in 30 % of 40 tries, old in 95 % of 40");
    expect(finding?.evidence).toMatchObject({
      metric: "success_rate",
      value: 30,
      threshold: 95,
      sample_count: 80,
      first_seq: 1,
      last_seq: 80,
      details: { niche: "sql", kind: "variant", worse: "new", better: "old", worse_samples: 40, better_samples: 40 },
    });
    expect(finding?.evidence.details?.p_value).toBeLessThan(0.001);
  });

  test("compares brain modules too, and niches never with each other", () => {
    const sides = [
      { name: "m1", tries: 30, successes: 30 },
      { name: "m2", tries: 30, successes: 3 },
    ];
    expect(found(sides, {}, "brainmod").map(({ name }) => name)).toEqual(["worse_brainmod_sql_m2"]);
    const scanner = open();
    for (let n = 1; n <= 60; n++)
      scanner.observe(aSample(n, { variant: n % 2 ? "a" : "b" }, { niche: n % 2 ? "one" : "two", ok: n % 2 === 0 }));
    expect([...scanner.findings()]).toEqual([]);
  });

  test("forgets what has left", () => {
    const scanner = open();
    const samples = Array.from({ length: 60 }, (_, n) =>
      aSample(n + 1, { variant: n % 2 ? "a" : "b" }, { niche: "sql", ok: n % 2 === 0, ttrMs: 5 }),
    );
    for (const sample of samples) scanner.observe(sample);
    expect([...scanner.findings()]).toHaveLength(1);
    for (const sample of samples.slice(0, 41)) scanner.forget(sample);
    expect([...scanner.findings()]).toEqual([]);
  });

  test("a thousand streams without a difference, looked at after every fifth sample, alarm in no more than the accepted share", () => {
    const random = seeded(7);
    const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    const alpha = comparativeScanner.settings.parse({}).alpha as number;
    let alarms = 0;
    for (let run = 0; run < 1_000; run++) {
      const scanner = open();
      const success = 0.5 + random() * 0.48;
      const variants = 2 + (run % 3);
      for (let seq = 1; seq <= 300; seq++) {
        const variant = `v${Math.floor(random() * variants)}`;
        const more = { niche: "n", ok: random() < success, ttrMs: Math.exp(5 + normal()) };
        scanner.observe(aSample(seq, { variant }, more));
        if (seq % 5 === 0 && [...scanner.findings()].some(({ verdict }) => verdict === "breach")) {
          alarms++;
          break;
        }
      }
    }
    expect(alarms / 1_000).toBeLessThanOrEqual(alpha);
    // A scanner that never says anything would pass too: it must be near enough to the promise to be of use.
    expect(
      found([
        { name: "a", tries: 100, successes: 90 },
        { name: "b", tries: 100, successes: 60 },
      ]),
    ).toHaveLength(1);
  });
});

describe("the statistics behind it", () => {
  test("agree with worked examples", () => {
    // Yates' corrected chi-squared of [[15, 5], [5, 15]] is 8.1: its root is the deviate.
    const shares = compareShares({ successes: 15, trials: 20 }, { successes: 5, trials: 20 });
    expect(shares.deviate ** 2).toBeCloseTo(8.1, 5);
    // Welch: means 20 and 22, variances 4 and 9, 10 and 12 samples: t = -1.863, 19.2 degrees, p = 0.0778, deviate 1.764.
    const means = compareMeans({ count: 10, mean: 20, variance: 4 }, { count: 12, mean: 22, variance: 9 });
    expect(means.deviate).toBeCloseTo(-1.764, 1);
  });

  test("Holm's limit is the textbook's", () => {
    expect(holmLimit([0.01, 0.04, 0.03, 0.005], 0.05)).toBe(0.01);
    expect(holmLimit([0.2, 0.9], 0.05)).toBe(0);
    expect(holmLimit([], 0.05)).toBe(0);
  });
});
