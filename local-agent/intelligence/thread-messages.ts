import type { ErrorCode } from "../../src/core/intelligence/error-codes.ts";
import type { Language } from "../../src/core/intelligence/file-facts.ts";
import type { CodeRequest } from "../../src/core/intelligence/request.ts";
import type { HostAnswer } from "./answer-request.ts";

/** What the thread of the index is started with. */
export interface ThreadSettings {
  readonly database: string;
  readonly roots: readonly string[];
  readonly languages: readonly Language[];
  readonly ignored: readonly string[];
  readonly maxFiles: number;
}

export type ToThread =
  | { readonly kind: "ask"; readonly id: number; readonly request: CodeRequest }
  | { readonly kind: "stop" };

export interface IndexState {
  readonly roots: number;
  readonly files: number;
  readonly failed: number;
  readonly leftOut: number;
  /** Whether questions can be answered. */
  readonly ready: boolean;
  /** Whether nothing is left to be read. */
  readonly settled: boolean;
}

export interface Failure {
  readonly code: ErrorCode;
  readonly message: string;
  readonly action: string | null;
  readonly place: { readonly line: number; readonly column: number } | undefined;
  readonly exception: string;
}

export type FromThread =
  | { readonly kind: "answer"; readonly id: number; readonly answer: HostAnswer }
  | { readonly kind: "failure"; readonly id: number; readonly failure: Failure }
  | { readonly kind: "state"; readonly state: IndexState }
  | { readonly kind: "warning"; readonly message: string };
