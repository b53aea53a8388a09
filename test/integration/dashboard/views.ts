import { CHAIN_RULE } from "./seed.ts";

type View = readonly [name: string, path: () => string, shows: string | RegExp];

/** Views with what tells that their data are there. @param pushed - id of the signal at the top of a chain */
export const viewsOf = (pushed: () => string): readonly View[] => [
  ["Attention", () => "attention", /tester/],
  ["Fleet", () => "fleet", "a person: approve the merge"],
  ["Agent sessions", () => "agents?sel=s-1", /waits for a person/],
  ["Live stream", () => "live?names=PUSHED", "77c0de1"],
  ["Chain of a signal", () => `chain/${pushed()}`, "BUILD_WANTED"],
  ["Queues", () => "queues", "reviews"],
  ["Queue", () => "queues/reviews?text=poison", /poison/],
  ["Dead letters", () => "dead-letters", "There are no dead letters."],
  ["Policies", () => "policies", CHAIN_RULE.id],
  ["Policy", () => `policies/${CHAIN_RULE.id}`, "Versions"],
  ["Limits", () => "coordination", "needs-a-model"],
  ["Locks", () => "coordination?tab=locks", "coder/8"],
  ["Question", () => "coordination?tab=questions&sel=deploy-42", "Silence means"],
  ["Note", () => "coordination?tab=notes&sel=task%2Fbuild-17%2Fprogress", "Changed by"],
  ["Host", () => "hosts/gpu-01?process=tester", "exit 1, five times in a row"],
  ["Gap", () => "gaps/cpu_bottleneck_gpu-01", "With these thresholds"],
  ["Expectations", () => "expectations", "BUILT"],
  ["History", () => "history?range=5", "cpu_percent"],
  ["Usage", () => "usage", "Budget of the month"],
  ["Tokens", () => "access?tab=tokens", "Each program and person gets its own"],
  ["Sessions", () => "access?tab=sessions", "this browser"],
  ["Webhooks", () => "access?tab=webhooks", "There is no webhook endpoint."],
  ["Inbox", () => "access?tab=inbox", "/v1/default/inbox/github"],
];

/** Pictures of docs/images that show one view each: names of their files, and what to look at. */
export const PICTURES: readonly (readonly [file: string, path: string, shows: string])[] = [
  ["agents", "agents?sel=s-1", "waits for a person"],
  ["live", "live?names=PUSHED", "77c0de1"],
  ["policy", `policies/${CHAIN_RULE.id}`, "Versions"],
  ["host", "hosts/gpu-01", "reviewer"],
  ["limits", "coordination", "needs-a-model"],
  ["question", "coordination?tab=questions&sel=deploy-42", "Silence means"],
  ["gap", "gaps/cpu_bottleneck_gpu-01", "With these thresholds"],
  ["expectations", "expectations", "BUILT"],
  ["history", "history?range=5", "cpu_percent"],
  ["usage", "usage", "Budget of the month"],
  ["access", "access?tab=sessions", "this browser"],
];
