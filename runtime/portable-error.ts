import { type ErrorCode, MarsadError, errorCodes } from "./errors.ts";

/** An error as it crosses a thread: structured clone keeps neither the class nor `code`. */
export interface PortableError {
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
  readonly code: string | number | undefined;
  readonly cause: PortableError | undefined;
}

/** Causes followed; the rest is cut. */
const deepestCause = 5;

export function toPortable(error: unknown, depth = 0): PortableError {
  if (!(error instanceof Error)) {
    return { name: "Error", message: String(error), stack: undefined, code: undefined, cause: undefined };
  }
  const code = "code" in error && (typeof error.code === "string" || typeof error.code === "number");
  return {
    name: error.name,
    message: error.message,
    stack: error.stack,
    code: code ? (error.code as string | number) : undefined,
    cause:
      error.cause === undefined || depth === deepestCause ? undefined : toPortable(error.cause, depth + 1),
  };
}

/** A `MarsadError` again if it was one; else an `Error` with the same name, message, stack and code. */
export function fromPortable(portable: PortableError): Error {
  const options = portable.cause === undefined ? {} : { cause: fromPortable(portable.cause) };
  const error =
    portable.name === "MarsadError" && typeof portable.code === "string" && portable.code in errorCodes
      ? new MarsadError(portable.code as ErrorCode, portable.message, options)
      : Object.assign(new Error(portable.message, options), { name: portable.name, code: portable.code });
  if (portable.stack !== undefined) error.stack = portable.stack;
  return error;
}
