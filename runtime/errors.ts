/** Every way the world breaks that a caller may want to tell apart; docs/errors.md explains each. */
export const errorCodes = {
  CONFIG_INVALID: "The configuration is wrong; the message names the key.",
  QUEUE_FULL: "The durable queue has reached its bound; what was offered was not taken.",
  QUEUE_UNWRITABLE:
    "The durable queue's disk refuses writes (full or broken); what was offered was not taken.",
  QUEUE_CORRUPT: "The durable queue's file cannot be read.",
  RECORDS_UNWRITABLE: "The disk of the registry or of the identities refuses writes; nothing was changed.",
  RECORDS_CORRUPT: "The registry's or the identities' file cannot be read.",
  STORE_UNAVAILABLE: "The store does not answer; try again later.",
  STORE_FULL: "The store's disk is full; try again when there is room.",
  STORE_LOCKED: "Another process has the store's file open.",
  STORE_FORMAT:
    "The data folder was written by a newer version or another program, or belongs to another kind of store.",
  DATA_LOCKED: "Another process uses the data folder.",
  DATA_UNUSABLE: "The data folder cannot be made, read or written.",
  THREAD_LOST: "A worker thread of this program has ended, or was closed before it could answer.",
  ADDRESS_IN_USE: "The address to listen on is taken or not ours.",
  BACKUP_UNWRITABLE:
    "The disk of the backup, or of the folder that is restored, refuses writes; nothing of it is left there.",
  BACKUP_DAMAGED: "A file of the backup is missing, or is not as it was written.",
  NOT_FOUND: "The named thing does not exist.",
  ALREADY_EXISTS: "The name is taken.",
  UNAUTHORIZED: "The platform asks for credentials, or does not take those that were given.",
  REFUSED: "The platform refused the request; the message says why.",
  UNREACHABLE: "The platform does not answer at the given address.",
  PROGRAM_MISSING: "A program that the command needs is not installed.",
} as const;
export type ErrorCode = keyof typeof errorCodes;

/** A broken world. Bad input is a value (`telemetry/rejection.ts`), never one of these. */
export class MarsadError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "MarsadError";
    this.code = code;
  }
}

/** Is `error` a `MarsadError` with this code? By shape, so that errors which crossed a thread count too. */
export function hasCode(error: unknown, code: ErrorCode): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
