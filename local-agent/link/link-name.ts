import type { Logger } from "../base/log.ts";
import type { Spool } from "../store/spool.ts";

export interface LinkNameOptions {
  readonly spool: Spool;
  /** The host's name in the settings. */
  readonly hostId: string;
  readonly log: Logger;
  /** Abandons the connection, if there is one: the next one has another name. */
  readonly abandon: (reason: string) => void;
  /** The spool has the host's new name. */
  readonly renamed: () => void;
}

/**
 * The name under which a host links itself. A host speaks for its own producers alone, so what waits in the spool under
 * a former name is sent as the host of that name, and the new name follows when the spool is empty. Where the edge
 * does not let this agent link under its former name any more (its token is bound to the new one, or another host has
 * taken the former one), the new name is tried, and what waits is sent under that.
 */
export class LinkName {
  readonly #options: LinkNameOptions;
  #asFormer = true;

  constructor(options: LinkNameOptions) {
    this.#options = options;
  }

  /**
   * Nothing is sent under a former name any more. Dead letters wait for that: those that the edge has not confirmed are sent
   * again, and the edge knows them by their ids, which begin with the name.
   */
  get settled(): boolean {
    return !this.#renaming;
  }

  get #renaming(): boolean {
    const { spool, hostId } = this.#options;
    return spool.host !== hostId;
  }

  /** For the next connection. */
  get current(): string {
    const { spool, hostId } = this.#options;
    return this.#asFormer ? spool.host : hostId;
  }

  /** Follows the settings as soon as nothing waits under the former name. */
  async start(isRunning: () => boolean): Promise<void> {
    const { spool, log } = this.#options;
    try {
      while (this.#renaming) {
        await spool.drained();
        if (!isRunning()) return;
        if (await spool.takeNewName("when empty")) this.#renamed();
      }
    } catch (error) {
      log.error({ err: error }, "link: the new name of this host cannot be stored; it takes effect after a restart");
    }
  }

  /** The edge refused the last connection for good. */
  denied(): void {
    if (this.#renaming) this.#asFormer = !this.#asFormer;
  }

  /** @returns whether the connection may be used; else another one is opened under the name that the spool then has */
  opened(): boolean {
    const { spool, hostId, log, abandon } = this.#options;
    if (!this.#renaming || this.#asFormer) return true;
    log.warn(
      { former: spool.host, host: hostId },
      "link: the edge does not let this host link under its former name: the spool is sent under the new one; " +
        "signals that the edge had taken without confirming them come a second time",
    );
    spool.takeNewName("at once").then(
      () => this.#renamed(),
      (error: unknown) => {
        log.error({ err: error }, "link: the new name of this host cannot be stored");
        abandon("the new name of this host cannot be stored");
      },
    );
    return false;
  }

  #renamed(): void {
    const { renamed, abandon } = this.#options;
    this.#asFormer = true;
    renamed();
    abandon("this host has a new name");
  }
}
