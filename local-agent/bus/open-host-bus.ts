import { concrete, isListening } from "../base/endpoint.ts";
import { ExpectedError } from "../base/service.ts";
import { ForeignProxy } from "./foreign-proxy.ts";
import type { HostBus, HostBusOptions } from "./host-bus.ts";
import { OwnProxy } from "./own-proxy.ts";

/**
 * Joins the proxy that connects the host's publishers and subscribers, or becomes the proxy when there is none.
 *
 * @throws ExpectedError when the addresses cannot be used as they are
 */
export async function openHostBus(options: HostBusOptions): Promise<HostBus> {
  const { xsub, xpub } = options;
  const [xsubTaken, xpubTaken] = await Promise.all([isListening(xsub), isListening(xpub)]);
  if (xsubTaken && xpubTaken) return ForeignProxy.open(options);
  if (xsubTaken || xpubTaken) {
    const [taken, free] = xsubTaken
      ? [`KLR_CHEM_XSUB (${xsub})`, `KLR_CHEM_XPUB (${xpub})`]
      : [`KLR_CHEM_XPUB (${xpub})`, `KLR_CHEM_XSUB (${xsub})`];
    throw new ExpectedError(
      `Something listens at ${taken}, but nothing at ${free}: half a bus. Start the proxy of the bus at both addresses, or set both to free addresses to let the agent be the proxy`,
    );
  }
  try {
    return await OwnProxy.open(options);
  } catch (error) {
    throw new ExpectedError(
      `The bus cannot be opened at KLR_CHEM_XSUB (${concrete(xsub, "bind")}) and KLR_CHEM_XPUB (${concrete(xpub, "bind")}): ${(error as Error).message}. Set both to free addresses of this machine, or take bus out of GANGLION_SOURCES`,
    );
  }
}
