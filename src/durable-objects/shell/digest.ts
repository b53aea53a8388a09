import { hexOf } from "../../core/numbers/hex.ts";

const encoder = new TextEncoder();

export function sha256(text: string): Promise<ArrayBuffer> {
  return crypto.subtle.digest("SHA-256", encoder.encode(text));
}

export function sha256OfBytes(bytes: Uint8Array): Promise<ArrayBuffer> {
  return crypto.subtle.digest("SHA-256", bytes);
}

export const hex = (bytes: ArrayBuffer): string => hexOf(new Uint8Array(bytes));
