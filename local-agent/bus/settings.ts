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
    /** Addresses of publishers that bind a socket of their own instead of connecting to the bus. */
    connect: z.array(Endpoint).max(64, "give 64 addresses at most").default([]),
    /** Where subscribers that come late ask for what was published in the last minutes; default: nowhere. */
    replay: Endpoint.optional(),
    /** The form in which signals are published on the bus. */
    messages: z.enum(["two_frames", "one_frame"], "give two_frames or one_frame").default("two_frames"),
    /** What a `HEARTBEAT` of a program is: a sign of life, or a signal like any other. */
    heartbeats: z.enum(["presence", "signals"], "give presence or signals").default("presence"),
  })
  .refine(({ xsub, xpub }) => xsub !== xpub, {
    path: ["xpub"],
    message: "give another address than xsub (KLR_CHEM_XSUB): publishers and subscribers connect to different ones",
  })
  .refine(({ xsub, xpub, replay }) => replay === undefined || (replay !== xsub && replay !== xpub), {
    path: ["replay"],
    message: "give another address than xsub and xpub: late subscribers ask at a socket of its own",
  });

export type BusSubscription = readonly string[] | "auto";

export type BusForms = Pick<z.output<typeof BusSettings>, "connect" | "messages" | "heartbeats" | "replay">;

export interface BusFeatureOptions extends HostSettings {
  readonly xsub: string;
  readonly xpub: string;
  /** Patterns of the signals that the edge sends to this bus; `auto`: those to which programs on the bus are subscribed. */
  readonly subscribe: BusSubscription;
  /** Forms of older programs. */
  readonly bus?: BusForms | undefined;
}
