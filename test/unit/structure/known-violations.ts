/** Violations that stood in the sources when their rule was written. An entry leaves when its place is put right; none is added. */
export const KNOWN_VIOLATIONS: readonly string[] = [
  "cast: (operation.parameters ?? []) as unknown as Parameter[] in src/workers/api/deployment/reference.ts",
  "cast: JSON.parse(body) as Gap in src/durable-objects/introspection/observation-store.ts",
  'cast: JSON.parse(body) as Omit<Decision, "id"> in src/durable-objects/policy/decision-store.ts',
  "cast: JSON.parse(body) as Policy in src/durable-objects/policy/rule-store.ts",
  "cast: JSON.parse(body) as Rule in src/durable-objects/policy/rule-store.ts",
  "cast: JSON.parse(body) as RuleQuestion in src/durable-objects/policy/questions.ts",
  "cast: JSON.parse(line) as Signal in src/workers/api/policy/decisions.ts",
  "cast: JSON.parse(line) as Signal in src/workers/api/policy/simulate.ts",
  "cast: JSON.parse(next.changes) as StateChange[] in src/durable-objects/policy/replay-overrides.ts",
  "cast: JSON.parse(row.answer) as Answer in src/durable-objects/models/object.ts",
  "cast: JSON.parse(row.body) as Kept in src/durable-objects/models/object.ts",
  "cast: JSON.parse(text) as Answer in src/client/http/request.ts",
  "cast: answer as unknown as z.infer<typeof SimulatedSchema> in src/workers/api/policy/simulate.ts",
  "long file: src/core/policy/rule-evaluation.ts",
];
