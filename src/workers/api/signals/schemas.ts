import { AppendResult, ProducerPage, ProducerRecord, SignalPage } from "../../../core/signals/api.ts";
import { Signal } from "../../../core/signals/signal.ts";
import { named } from "../http/schema-parts.ts";

export const SignalSchema = named("Signal", Signal);
export const SignalPageSchema = named("SignalPage", SignalPage.extend({ signals: SignalSchema.array() }));
export const AppendResultSchema = named("AppendResult", AppendResult);
export const ProducerPageSchema = named(
  "ProducerPage",
  ProducerPage.extend({ producers: named("Producer", ProducerRecord).array() }),
);
