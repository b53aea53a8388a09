import { claimPort } from "../../local-edge/port.ts";

/** A port of 127.0.0.1 that nobody uses at this moment, for what cannot pick one itself (a bus, a second start). */
export const freePort = (): Promise<number> => claimPort(0);
