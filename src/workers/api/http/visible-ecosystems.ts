import type { EcosystemRecord } from "../../../core/access/api.ts";
import { authorise, type Grant } from "../../../core/access/grant.ts";
import type { Environment } from "../../bindings/environment.ts";
import { directory } from "../../bindings/objects.ts";

/** The ecosystems whose signals a token may read, by name. One that was never active is none of them. */
export async function visibleEcosystems(env: Environment, grant: Grant): Promise<EcosystemRecord[]> {
  const nowMs = Date.now();
  return (await directory(env).ecosystems()).filter(
    ({ name }) => authorise(grant, "signals:read", name, nowMs) === "allowed",
  );
}
