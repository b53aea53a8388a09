export type Facts = Readonly<Record<string, unknown>>;

/** Gathers facts that only this host can see. The edge asks for them each minute, and when a person wants to know. */
export interface Monitor {
  readonly name: string;
  /**
   * @param after - `cursor` of the last answer that the edge has stored; `undefined` for monitors without a cursor
   * @throws Error whose message the edge gets as the reason why there are no facts
   */
  gather(after: string | undefined): Promise<Facts>;
}
