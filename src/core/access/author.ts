/** Who changes something: the token's name, for people, and its id. */
export interface Author {
  readonly name: string;
  readonly id: string;
}
