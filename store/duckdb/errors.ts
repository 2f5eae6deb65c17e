import { MarsadError, hasCode } from "#runtime/errors.ts";

/** After a FATAL error DuckDB answers nothing but this until the file is closed and opened again. */
export function isFatal(error: unknown): boolean {
  return /FATAL Error|database has been invalidated/i.test(messageOf(error));
}

/** What DuckDB says, as the port's codes; its errors are told apart by message alone. */
export function storeError(error: unknown, path: string): Error {
  if (error instanceof MarsadError) return error;
  const message = messageOf(error);
  if (/Could not set lock on file/i.test(message)) {
    const holder = /\(PID (\d+)/.exec(message)?.[1];
    const by = holder === undefined ? "another process" : `process ${holder}`;
    return new MarsadError("STORE_LOCKED", `${path} is open in ${by}; stop that first`, { cause: error });
  }
  if (/No space left on device|ENOSPC|Disk quota exceeded|not enough space/i.test(message)) {
    return new MarsadError("STORE_FULL", `the disk of ${path} is full`, { cause: error });
  }
  if (/database file with version number|not a valid DuckDB database file/i.test(message)) {
    return new MarsadError("STORE_FORMAT", `${path} is no store that this version can read: ${message}`, {
      cause: error,
    });
  }
  return new MarsadError("STORE_UNAVAILABLE", `${path}: ${message}`, { cause: error });
}

export function isFull(error: unknown): boolean {
  return hasCode(error, "STORE_FULL");
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
