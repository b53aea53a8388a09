import { bottleneckScanner } from "./bottleneck-scanner.ts";
import { comparativeScanner } from "./comparative-scanner.ts";
import { contextScanner } from "./context-scanner.ts";
import { inferenceScanner } from "./inference-scanner.ts";
import { resourceScanner } from "./resource-scanner.ts";
import type { ScannerKind } from "./scanner.ts";

/** Every kind of scanner. A new one is a file in this folder and a line here: see README.md. */
export const ALL_SCANNERS: ScannerKind[] = [
  inferenceScanner,
  contextScanner,
  resourceScanner,
  bottleneckScanner,
  comparativeScanner,
];
