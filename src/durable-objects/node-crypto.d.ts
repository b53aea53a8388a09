/** What the edge uses of Node's module, which the runtime offers by `nodejs_compat`: a digest without a promise. */
declare module "node:crypto" {
  interface Hash {
    update(text: string): Hash;
    digest(encoding: "hex"): string;
  }
  export function createHash(algorithm: "sha256"): Hash;
}
