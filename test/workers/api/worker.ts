import { app } from "../../../src/workers/app.ts";

export { Directory } from "../../../src/durable-objects/directory.ts";
export { DeadLetters, ObservationCache, PolicyState, SignalLog } from "./stand-ins.ts";
export default { fetch: app.fetch };
