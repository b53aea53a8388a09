import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, test } from "vitest";
import { builtInLibrary, openLibrary } from "../../../src/client/intelligence/library-file.ts";
import { BUILT_IN_LIBRARY_JSON } from "../../../src/core/intelligence/built-in-library.ts";
import { lookUp, readLibrary } from "../../../src/core/intelligence/library.ts";
import { NODE_TYPES } from "../../../src/core/intelligence/node-types.ts";
import { temporaryDirectory } from "../store/temporary-state.ts";

const library = builtInLibrary();

/** How many practices there are, by type and domain. */
const COUNTS = {
  EFFECT: { all: 10, database: 10, api: 10, messaging: 10, cache: 10 },
  COMPUTE: { all: 15, data_processing: 5, calculation: 5 },
  REDUCER: { all: 15, analytics: 5, state_management: 5 },
  ORCHESTRATOR: { all: 15, workflow: 5, coordination: 5 },
};

/** The subjects of each domain, in the order of the file. */
const SUBJECTS = {
  EFFECT: {
    all: "error-handling structured-logs health-endpoint clean-stop settings-from-environment metrics tracing async-io time-limits breaker",
    database:
      "pooling prepared-statements transactions breaker back-off-retry input-checks async-drivers clean-up correlated-errors error-codes",
    api: "back-off-retry breaker rate-limit time-limit certificate-checks pooling request-logging key-rotation client-errors async-client",
    messaging:
      "idempotent-handling acknowledgement dead-letters schema-check correlation-ids poison-messages back-pressure batches time-to-live at-least-once",
    cache:
      "invalidation expiry misses warm-up namespaces hit-figures cache-aside server-failure pooling stale-while-revalidate",
  },
  COMPUTE: {
    all: "purity immutability determinism types input-checks caching parallelism no-globals functional-style memoising profiling-hooks vectorising early-exit stated-complexity fitting-structures",
    data_processing: "chunks streams progress memory checks",
    calculation: "decimals-for-money overflow numeric-stability precision rounding",
  },
  REDUCER: {
    all: "incremental-aggregation structures windows persistence checkpoint-and-restore memory parallel-reduction statistics late-data watermarks result-cache append-only-state conflicts snapshots event-sourcing",
    analytics: "approximation sketches sampling reservoirs sliding-windows",
    state_management: "versioned-state compaction migration consistent-hashing recovery",
  },
  ORCHESTRATOR: {
    all: "state-machines compensation sagas step-time-limits tracing event-driven-coordination parallel-steps versioning idempotent-steps checkpoints retry-policies dead-letters scheduling metrics locks",
    workflow: "dag-execution dependencies topological-order branches loop-detection",
    coordination: "consensus leader-election quorum heartbeats failure-detection",
  },
};

describe("the built-in library", () => {
  it("has a practice on every subject of every type and domain", () => {
    const counts = Object.fromEntries(
      NODE_TYPES.map((type) => [
        type,
        Object.fromEntries(
          Object.entries(library.node_types[type]?.practices ?? {}).map(([domain, list]) => [domain, list.length]),
        ),
      ]),
    );
    expect(counts).toEqual(COUNTS);
    const subjects = Object.fromEntries(
      NODE_TYPES.map((type) => [
        type,
        Object.fromEntries(
          Object.entries(library.node_types[type]?.practices ?? {}).map(([domain, list]) => [
            domain,
            list.map(({ subject }) => subject).join(" "),
          ]),
        ),
      ]),
    );
    expect(subjects).toEqual(SUBJECTS);
  });

  it("says nothing twice about one type", () => {
    for (const type of NODE_TYPES) {
      const rules = Object.values(library.node_types[type]?.practices ?? {}).flatMap((list) =>
        list.map(({ rule }) => rule),
      );
      expect(new Set(rules).size).toBe(rules.length);
    }
  });

  it("names five scenarios of errors for each type, and for each domain of effects", () => {
    for (const domain of ["database", "api", "messaging", "cache"])
      expect(lookUp(library, "EFFECT", domain).error_scenarios).toHaveLength(5);
    for (const type of NODE_TYPES) expect(lookUp(library, type, "").error_scenarios).toHaveLength(5);
  });

  it("gives operations, targets and mixins by type and domain", () => {
    expect(lookUp(library, "EFFECT", "postgres")).toMatchObject({
      domain: "database",
      common_operations: ["create", "read", "update", "delete", "execute"],
      required_mixins: ["MixinRetry", "MixinCircuitBreaker", "MixinTransaction"],
      performance_targets: {
        max_response_time_ms: 500,
        max_retry_attempts: 3,
        timeout_ms: 30_000,
        connection_pool_size: 10,
        circuit_breaker_threshold: 5,
      },
    });
    expect(lookUp(library, "COMPUTE", "x")).toMatchObject({
      common_operations: ["calculate", "transform", "validate", "process"],
      required_mixins: ["MixinCache", "MixinValidation"],
      performance_targets: {
        max_computation_time_ms: 2_000,
        max_memory_mb: 256,
        cache_hit_rate_target: 0.8,
        parallelization_threshold: 1_000,
      },
    });
    expect(lookUp(library, "REDUCER", "x")).toMatchObject({
      common_operations: ["aggregate", "reduce", "summarize", "consolidate"],
      required_mixins: ["MixinStateManagement", "MixinCheckpoint"],
      performance_targets: {
        aggregation_window_ms: 1_000,
        max_aggregation_delay_ms: 5_000,
        state_checkpoint_interval_ms: 10_000,
        max_state_size_mb: 512,
      },
    });
    expect(lookUp(library, "ORCHESTRATOR", "x")).toMatchObject({
      common_operations: ["coordinate", "orchestrate", "manage_workflow", "execute_pipeline"],
      required_mixins: ["MixinWorkflow", "MixinCompensation"],
      performance_targets: {
        workflow_timeout_ms: 30_000,
        coordination_overhead_ms: 100,
        max_parallel_steps: 10,
        step_timeout_ms: 5_000,
      },
    });
  });

  it("gives what holds for all domains where it does not know the domain, and no best practices of it", () => {
    const found = lookUp(library, "EFFECT", "weather");
    expect(found.node_type_patterns).toHaveLength(10);
    expect(found.domain_best_practices).toEqual([]);
  });

  it("says of an unknown type only how long it may take", () => {
    const { domain, performance_targets, ...lists } = lookUp(library, undefined, "database");
    expect(performance_targets).toEqual({ max_execution_time_ms: 1_000 });
    expect(domain).toBe("database");
    expect(Object.values(lists).flat()).toEqual([]);
  });
});

describe("a library of the user's", () => {
  const extended = (yaml: string) => {
    const path = join(temporaryDirectory(), "mine.yaml");
    writeFileSync(path, yaml);
    return openLibrary(path);
  };

  it("adds domains and practices, and takes the place of those on the same subject", () => {
    const mine = extended(`
version: 1
node_types:
  EFFECT:
    performance_targets: { timeout_ms: 9000 }
    practices:
      database: [{ subject: pooling, rule: "Use the pool of the platform." }]
      weather: [{ subject: stations, rule: "Ask the nearest station." }]
`);
    const database = lookUp(mine, "EFFECT", "db");
    expect(database.domain_best_practices).toHaveLength(10);
    expect(database.domain_best_practices[0]).toBe("Use the pool of the platform.");
    expect(database.performance_targets).toMatchObject({ timeout_ms: 9_000, connection_pool_size: 10 });
    expect(lookUp(mine, "EFFECT", "weather").domain_best_practices).toEqual(["Ask the nearest station."]);
  });

  it("is refused with the file and the place of its mistake", () => {
    expect(() => extended("version: 1\nnode_types: {EFFECT: {practice: {}}}")).toThrow(
      /mine\.yaml cannot be read: .*practice/,
    );
    expect(() => extended("version: 1\nnode_types: [")).toThrow(/mine\.yaml is no valid YAML/);
    expect(() => openLibrary("/nowhere/library.yaml")).toThrow(/nowhere\/library\.yaml cannot be read/);
  });
});

test("the Worker's copy of the library equals library.yaml; scripts/write-library.ts writes it", () => {
  expect(readLibrary(JSON.parse(BUILT_IN_LIBRARY_JSON), "the Worker's")).toEqual(library);
});
