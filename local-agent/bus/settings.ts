import * as z from "zod";
import { EnabledSetting } from "../base/setting-schemas.ts";
import type { HostSettings } from "../feature/feature.ts";

/** The addresses at which programs of a host expect its ZMQ bus. */
export const DEFAULT_XSUB = "tcp://127.0.0.1:5556";
export const DEFAULT_XPUB = "tcp://127.0.0.1:5557";

const Endpoint = z.string().regex(/^(tcp:\/\/[^\s:/]+:\d{1,5}|ipc:\/\/\S+)$/, {
  message: "give an address such as tcp://127.0.0.1:5556 or ipc:///run/bus.sock",
});

/** Section `bus` of the configuration. */
export const BusSettings = z
  .strictObject({
    enabled: EnabledSetting,
    xsub: Endpoint.default(DEFAULT_XSUB),
    xpub: Endpoint.default(DEFAULT_XPUB),
  })
  .refine(({ xsub, xpub }) => xsub !== xpub, {
    path: ["xpub"],
    message: "give another address than xsub (KLR_CHEM_XSUB): publishers and subscribers connect to different ones",
  });

export type BusSubscription = readonly string[] | "auto";

export interface BusFeatureOptions extends HostSettings {
  readonly xsub: string;
  readonly xpub: string;
  /** Patterns of the signals that the edge sends to this bus; `auto`: those to which programs on the bus are subscribed. */
  readonly subscribe: BusSubscription;
}
