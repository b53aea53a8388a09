import { createClient } from "../../../src/client/client.ts";

/** A process of a host: calls within the limit, one after the other, until it is told to end. */
const { GANGLION_URL: url = "", GANGLION_TOKEN: token = "", CALL_USD = "0" } = process.env;
const { limits } = createClient({ url, token, retry: { retries: 2 } });
let calls = 0;
let ending = false;
process.on("message", () => {
  ending = true;
});
process.send?.("ready");
while (!ending) {
  // What one call uses is half of what it reserves.
  await limits.with("provider", { amounts: { usd: 2 * Number(CALL_USD) } }, async (held) => {
    held.used({ usd: Number(CALL_USD) });
    calls++;
  });
  await new Promise((resolve) => setTimeout(resolve, 20));
}
console.log(`calls ${calls}`);
process.disconnect?.();
