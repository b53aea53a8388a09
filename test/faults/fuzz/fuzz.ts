import { temporaryDirectory } from "../../harness/cleanup.ts";
import { type RunningEdge, runEdge } from "../../harness/running-edge.ts";
import { Rng } from "../rng.ts";
import { EdgeWatch } from "./edge-watch.ts";
import { type Finding, Findings } from "./findings.ts";
import { FrameFuzzer } from "./frame-fuzzer.ts";
import { type ApiDescription, HttpFuzzer } from "./http-fuzzer.ts";

export type Target = "http" | "frames";

export interface FuzzOptions {
  readonly seed: number;
  /** Inputs of each target; the run ends earlier where `forMs` is over. */
  readonly inputs: number;
  readonly forMs?: number;
  readonly targets: readonly Target[];
  /** Inputs of each target that are under way at once. */
  readonly lanes: number;
  /** Longest answer of `/healthz` that is no finding, in milliseconds; default: as long as a machine may be busy. */
  readonly healthyMs?: number;
  /** Where findings are kept; default: a directory that goes with the test. */
  readonly directory?: string;
  readonly say?: (line: string) => void;
}

export interface FuzzOutcome {
  readonly findings: readonly (Finding & { readonly count: number })[];
  readonly requests: number;
  readonly frames: number;
  readonly statuses: Readonly<Record<string, number>>;
  /** Longest answer of `/healthz`, in milliseconds, and how often it was asked. */
  readonly health: { readonly slowestMs: number; readonly asked: number };
  /** Resident memory of the runtime after ten minutes (or at the end of a shorter run) and at the end, in bytes. */
  readonly memory: { readonly then: number; readonly now: number };
}

const TEN_MINUTES = 600_000;
const LOG_LINES = 10;
const SAY_EVERY_MS = 30_000;

/** Scopes of the callers beside the administrator. */
const SCOPES = ["signals:write", "signals:read", "tasks:write", "tasks:work", "policy:write"] as const;

/** Sends inputs made from the edge's own schemas to a fresh edge, and says what it did that it must not do. */
export async function fuzz(options: FuzzOptions): Promise<FuzzOutcome> {
  const {
    seed,
    inputs,
    forMs = Number.POSITIVE_INFINITY,
    targets,
    lanes: atOnce,
    directory = temporaryDirectory(),
    say,
  } = options;
  const edge = await runEdge();
  const findings = new Findings(directory);
  const api = (await (await fetch(`${edge.url}/openapi.json`)).json()) as ApiDescription;
  const tokens = await tokensFor(edge);
  const { schemas } = api.components;
  const logged = () => edge.process.lines.slice(-LOG_LINES).map((line) => line.slice(0, 1_000));
  const http = new HttpFuzzer({ url: edge.url, api, tokens, rng: new Rng(seed), findings, logged });
  const frames = new FrameFuzzer({
    url: edge.url,
    token: edge.token,
    signal: schemas.NewSignal ?? {},
    schemas,
    rng: new Rng(seed + 1),
    findings,
  });
  const recent = () => ({ requests: http.recent.slice(-50), sockets: frames.recent });
  const watch = new EdgeWatch(edge, findings, recent, options.healthyMs ?? Number.POSITIVE_INFINITY);
  if (Number.isFinite(forMs)) await http.visitEverything();
  watch.start();
  const beganMs = performance.now();
  const lane = async (fuzzer: { readonly sent: number; step(): Promise<void> }) => {
    while (fuzzer.sent < inputs && performance.now() - beganMs < forMs) await fuzzer.step();
  };
  const saying = setInterval(() => {
    say?.(
      `${http.sent} requests, ${frames.sent} frames, ${findings.all.length} findings, ` +
        `slowest /healthz ${watch.slowestMs} ms, ${Math.round(watch.memory(TEN_MINUTES).now / 2 ** 20)} MiB`,
    );
  }, SAY_EVERY_MS);
  let ended: unknown;
  void edge.process.ended.then((how) => {
    ended = how;
  });
  const lanes = [
    ...(targets.includes("http") ? Array.from({ length: atOnce }, () => lane(http)) : []),
    ...(targets.includes("frames") ? Array.from({ length: atOnce }, () => lane(frames)) : []),
  ];
  await Promise.all(lanes);
  clearInterval(saying);
  await watch.stop();
  frames.close();
  if (ended !== undefined) findings.add({ what: "the edge ended", seen: String(ended), input: http.recent });
  addCrashes(edge, findings);
  const memory = watch.memory(TEN_MINUTES);
  await edge.process.stop();
  return {
    findings: findings.all,
    requests: http.sent,
    frames: frames.sent,
    statuses: http.statuses,
    health: { slowestMs: watch.slowestMs, asked: watch.asked },
    memory,
  };
}

/** Errors that nobody caught are told in the edge's log alone. */
function addCrashes({ process }: RunningEdge, findings: Findings): void {
  for (const line of process.lines) {
    if (!/uncaught exception|Uncaught \(in promise\)|internal error;/i.test(line)) continue;
    const reason = line.replaceAll(/[0-9a-f]{8,}/g, "…").slice(0, 200);
    findings.add({ what: `uncaught: ${reason}`, seen: line.slice(0, 4_000), input: null });
  }
}

async function tokensFor(edge: RunningEdge): Promise<Record<string, string>> {
  const tokens: Record<string, string> = { admin: edge.token };
  for (const scope of SCOPES) {
    const response = await fetch(`${edge.url}/v1/tokens`, {
      method: "POST",
      headers: { authorization: `Bearer ${edge.token}`, "content-type": "application/json" },
      body: JSON.stringify({ name: scope, scopes: [scope], ecosystems: ["*"] }),
    });
    const { token } = (await response.json()) as { token: string };
    tokens[scope] = token;
  }
  return tokens;
}
