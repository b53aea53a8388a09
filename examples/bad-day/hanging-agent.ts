import { existsSync } from "node:fs";
import { dirname } from "node:path";
import { openHeartbeat } from "../../src/client/heartbeat.ts";

/** A supervised program that hangs in the midst of its work, unless the file whose path it is given is there. */
const [, , mended = ""] = process.argv;
const heartbeat = openHeartbeat();
const parent = process.ppid;
/** Whether the day goes on: its supervisor may have been killed before this program had begun. */
const goesOn = () => process.ppid === parent && existsSync(dirname(mended));
if (!existsSync(mended)) {
  heartbeat.send("working", "a proof of the four colour theorem", 0);
  // Nothing else runs while this waits: no heartbeat either.
  const never = new Int32Array(new SharedArrayBuffer(4));
  while (goesOn()) Atomics.wait(never, 0, 0, 500);
  process.exit();
}
setInterval(() => (goesOn() ? heartbeat.send("idle") : process.exit()), 200);
