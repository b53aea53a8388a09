import type { ModelSettingsInput, ModelSettingsView } from "../core/models/settings.ts";
import type { Call } from "./http/request.ts";

interface Calls {
  readonly call: <Answer>(what: Call) => Promise<Answer>;
  readonly inside: (path: string) => string;
}

export function modelCalls({ call, inside }: Calls) {
  const path = inside("/models");
  return {
    /** Without the keys. */
    settings: () => call<ModelSettingsView>({ path }),
    /** Replaces the settings. A model without a key keeps the one that is known for its name and address. */
    replace: (settings: ModelSettingsInput) => call<ModelSettingsView>({ method: "PUT", path, body: settings }),
  };
}
