import { ModelSettingsView } from "../../../core/models/api.ts";

export const ModelSettingsSchema = ModelSettingsView.meta({ id: "ModelSettings" });
