import { AppendResult, SignalPage } from "../../../core/signals/api.ts";
import { Signal } from "../../../core/signals/signal.ts";

// `meta` and not `openapi`: the latter exists only on schemas that were made after the library had extended Zod, and
// whether that came first depends on the order of imports.
export const SignalSchema = Signal.meta({ id: "Signal" });
export const SignalPageSchema = SignalPage.extend({ signals: SignalSchema.array() }).meta({ id: "SignalPage" });
export const AppendResultSchema = AppendResult.meta({ id: "AppendResult" });
