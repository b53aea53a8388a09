import { existsSync } from "node:fs";
import { openHeartbeat } from "../../src/client/heartbeat.ts";

/** A supervised program that hangs in the midst of its work, unless the file whose path it is given is there. */
const [, , mended = ""] = process.argv;
const heartbeat = openHeartbeat();
const parent = process.ppid;
if (!existsSync(mended)) {
  heartbeat.send("working", "a proof of the four colour theorem", 0);
  // Nothing else runs while this waits: no heartbeat either. It ends with its supervisor.
  const never = new Int32Array(new SharedArrayBuffer(4));
  while (process.ppid === parent) Atomics.wait(never, 0, 0, 500);
  process.exit();
}
setInterval(() => (process.ppid === parent ? heartbeat.send("idle") : process.exit()), 200);
