export interface EdgeUnderTest {
  readonly url: string;
  readonly token: string;
}
