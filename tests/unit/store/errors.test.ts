import { expect, test } from "vitest";
import { MarsadError } from "#runtime/errors.ts";
import { isFatal, storeError } from "#store/duckdb/errors.ts";
import { integers, quoted, timestamp } from "#store/duckdb/sql.ts";

const path = "/data/marsad.duckdb";
const invalidated =
  "FATAL Error: Failed: database has been invalidated because of a previous fatal error.\n" +
  'Original error: "Could not write file "/data/marsad.duckdb": No space left on device"';

test.for([
  [
    'IO Error: Could not set lock on file "/data/marsad.duckdb": Conflicting lock is held in /usr/bin/node (PID 4711).',
    "STORE_LOCKED",
  ],
  ['Failed to commit: Could not write file "/data/marsad.duckdb.wal": No space left on device', "STORE_FULL"],
  [invalidated, "STORE_FULL"],
  ["FATAL Error: something broke", "STORE_UNAVAILABLE"],
  ["IO Error: The file is not a valid DuckDB database file!", "STORE_FORMAT"],
  ["Binder Error: whatever else", "STORE_UNAVAILABLE"],
] as const)("DuckDB's %j is %s", ([message, code]) => {
  const cause = new Error(message);
  expect(storeError(cause, path)).toMatchObject({ code, cause, message: expect.stringContaining(path) });
});

test("a lock's holder is named by its process number", () => {
  const error = storeError(new Error("Could not set lock on file: held in node (PID 4711)"), path);
  expect(error.message).toBe(`${path} is open in process 4711; stop that first`);
});

test("an error that already says what it is passes as it is", () => {
  const error = new MarsadError("QUEUE_CORRUPT", "block 3");
  expect(storeError(error, path)).toBe(error);
});

test("only errors after which nothing is answered any more are fatal", () => {
  expect(isFatal(new Error(invalidated))).toBe(true);
  expect(isFatal(new Error("Failed to commit: No space left on device"))).toBe(false);
});

test("identifiers are quoted, times are typed, and lists hold whole numbers only", () => {
  expect(quoted('a"; DROP TABLE x')).toBe('"a""; DROP TABLE x"');
  expect(timestamp(Date.UTC(2026, 0, 31, 1, 2, 3) + 4)).toBe("TIMESTAMP_MS '2026-01-31T01:02:03.004Z'");
  expect(integers([1, 2])).toBe("1,2");
  expect(() => integers([1, Number.NaN])).toThrow(RangeError);
});
