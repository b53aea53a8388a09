import { ModelSettingsView } from "../core/models/api.ts";
import type { ModelSettingsInput } from "../core/models/settings.ts";
import type { CallEdge } from "./http/request.ts";

interface Calls {
  readonly call: CallEdge;
  readonly inside: (path: string) => string;
}

export function modelCalls({ call, inside }: Calls) {
  const path = inside("/models");
  return {
    /** The settings without the keys. */
    settings: () => call(ModelSettingsView, { path }),
    /** Replaces the settings. A model without a key keeps the stored key of its name and address. */
    replace: (settings: ModelSettingsInput) => call(ModelSettingsView, { method: "PUT", path, body: settings }),
  };
}
