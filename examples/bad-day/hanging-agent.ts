import { existsSync } from "node:fs";
import { openHeartbeat } from "../../src/client/heartbeat.ts";

/** A supervised program that hangs in the midst of its work, until the file whose path it is given is there. */
const [, , mended = ""] = process.argv;
const heartbeat = openHeartbeat();
heartbeat.send("working", "a proof of the four colour theorem", 0);
// Nothing else runs while this waits: no heartbeat either. It ends with its supervisor.
const never = new Int32Array(new SharedArrayBuffer(4));
const parent = process.ppid;
while (!existsSync(mended) && process.ppid === parent) Atomics.wait(never, 0, 0, 500);
setInterval(() => (process.ppid === parent ? heartbeat.send("idle") : process.exit()), 200);
