export type Facts = Readonly<Record<string, unknown>>;

/** Something that only this host can look at. Asked by the edge, each minute or when somebody wants to know. */
export interface Monitor {
  readonly name: string;
  /**
   * @param after - what the last answer said as `cursor`, once the edge has kept it; never for monitors without one
   * @throws what is told to the edge as the reason why there are no facts
   */
  gather(after: string | undefined): Promise<Facts>;
}
