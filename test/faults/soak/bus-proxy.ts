import { startForeignProxy } from "../../integration/bus/bus-parts.ts";

/** A proxy like those that hosts run already, as a process of its own, to be killed. */
// The tests were killed.
process.once("disconnect", () => process.exit());

const { KLR_CHEM_XSUB: xsub = "", KLR_CHEM_XPUB: xpub = "" } = process.env;
await startForeignProxy({ xsub, xpub });
console.log("up");
