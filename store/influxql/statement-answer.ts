import type { StatementResult } from "./result.ts";

/** What a request's statement comes to. */
export type StatementAnswer = {
  /** Its number, from 0. */
  readonly statement: number;
} & ({ readonly result: StatementResult; readonly zone: string | undefined } | { readonly error: string });
