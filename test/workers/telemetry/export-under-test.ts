import { runDurableObjectAlarm } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { inject } from "vitest";
import type { Export, ExportTest } from "../../../src/core/telemetry/api.ts";
import { policyState, telemetry } from "../../../src/workers/bindings/objects.ts";
import type { OtlpBox } from "../../harness/otlp-schema.ts";
import { call, freshEcosystem, post } from "../api/calls.ts";
import { queueStub } from "../queue/queue-under-test.ts";

/** An ecosystem whose finished work is exported, as administrators and receivers see it. */
export function exportOf(ecosystem = freshEcosystem()) {
  const path = `/v1/${ecosystem}/telemetry/export`;
  const json = async <Body>(response: Promise<Response>) => (await (await response).json()) as Body;
  const stub = () => telemetry(env, ecosystem);
  return {
    ecosystem,
    path,
    stub,
    put: (settings: object) => post(path, settings, { method: "PUT" }),
    /** @param answers - the receiver's responses, see otlp-receiver.ts */
    to: (answers: string, more: object = {}) =>
      json<Export>(
        post(
          path,
          { endpoint: `${inject("otlp")}/${ecosystem}/${answers}`, interval_ms: 1_000, ...more },
          { method: "PUT" },
        ),
      ),
    show: () => json<Export>(call(path)),
    test: () => json<ExportTest>(post(`${path}/test`, {})),
    /** What the receiver has, as soon as it has so much. */
    received: (wanted: { spans?: number; requests?: number }) => {
      const query = new URLSearchParams(Object.entries(wanted).map(([name, value]) => [name, String(value)]));
      return json<OtlpBox>(fetch(`${inject("otlp")}/${ecosystem}?${query}`));
    },
    /** Has the queues and the rules hand over what they have, and the export send it, without waiting for alarms. */
    async flush(...queues: readonly string[]): Promise<void> {
      for (const name of queues) await runDurableObjectAlarm(queueStub(ecosystem, name));
      await runDurableObjectAlarm(policyState(env, ecosystem));
      await stub().tick();
      await runDurableObjectAlarm(stub());
    },
  };
}
