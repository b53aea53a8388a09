import { expect, test } from "vitest";
import * as z from "zod";
import { isAmount, rounded, severityOf } from "../../../../src/core/introspection/scanners/facts.ts";
import { GroupMap, SampleGroup } from "../../../../src/core/introspection/scanners/sample-group.ts";
import { type Scanner, scannerKind } from "../../../../src/core/introspection/scanners/scanner.ts";
import { ScannerRunner } from "../../../../src/core/introspection/scanners/scanner-runner.ts";
import { RunningMean } from "../../../../src/core/numbers/running-mean.ts";
import { aSample } from "./a-sample.ts";

const Settings = z.strictObject({ celsius_above: z.number().default(85), min_samples: z.int().min(1).default(5) });
type Settings = z.infer<typeof Settings>;

const temperatureScanner = scannerKind<Settings>({
  id: "temperature",
  category: "resource_utilization",
  settings: Settings,
  open({ celsius_above: above, min_samples }): Scanner {
    const groups = new GroupMap(() => ({ samples: new SampleGroup(), celsius: new RunningMean() }));
    return {
      observe: (sample) => {
        const { celsius } = sample.facts;
        if (isAmount(celsius)) groups.observe(sample.reporter, sample).celsius.add(celsius);
      },
      forget: (sample) => {
        const { celsius } = sample.facts;
        if (isAmount(celsius)) groups.forget(sample.reporter, sample).celsius.remove(celsius);
      },
      *findings() {
        for (const [reporter, { samples, celsius }] of groups.withSamples(min_samples)) {
          if (celsius.mean <= above) continue;
          yield {
            name: `too_hot_${reporter}`,
            type: "performance",
            category: "resource_utilization",
            reason: `${reporter} is at ${rounded(celsius.mean)} °C on average`,
            verdict: "breach",
            severity: severityOf(celsius.mean, above, 105),
            installCost: 0.8,
            evidence: {
              metric: "celsius",
              value: rounded(celsius.mean),
              threshold: above,
              unit: "°C",
              sample_count: samples.size,
              reporters: [reporter],
              first_seq: samples.first.seq,
              last_seq: samples.newest.seq,
            },
            cause: samples.newest,
          };
        }
      },
    };
  },
});

test("a scanner in one file works on the panel like the others", () => {
  const panel = new ScannerRunner([temperatureScanner]);
  const samples = [1, 2, 3, 4, 5, 6].map((seq) => aSample(seq, { celsius: 90 }));
  for (const sample of samples) panel.observe(sample);
  expect(panel.evaluate(0, () => samples).findings.map(({ name }) => name)).toEqual(["too_hot_r"]);
  for (const sample of samples.slice(0, 2)) panel.forget(sample);
  expect(panel.evaluate(1, () => samples).findings).toEqual([]);
});
