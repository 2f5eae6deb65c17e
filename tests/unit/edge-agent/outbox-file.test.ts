import { expect, test } from "vitest";
import { type OutboxFile, openOutboxFile } from "#edge-agent/outbox-file.ts";
import { formatBatchHeader } from "#telemetry/batch-header.ts";
import { tempFolder } from "../../support/temp-folder.ts";

const open = (path: string): OutboxFile =>
  openOutboxFile({ path, maxLiveBytes: 2 ** 24, maxFileBytes: 2 ** 26 });

/** Commits batches of so many readings each, one behind the other. */
function commit(file: OutboxFile, counts: readonly number[]): void {
  const { uuid, nextNumber } = file.state;
  let first = nextNumber;
  const payloads = counts.map((n) => {
    const payload = Buffer.from(`${formatBatchHeader({ outbox: uuid, first, n })}${"x\n".repeat(n)}`);
    first += n;
    return payload;
  });
  file.commit(payloads, first);
}

test("what an earlier run left is known to the reading, whatever was removed between", () => {
  using folder = tempFolder("outbox");
  {
    using file = open(folder.path);
    expect(file.backlog()).toEqual({ ranges: [], readings: 0 });
    commit(file, [1, 20, 300]);
    commit(file, [4000, 50]);
    expect(file.backlog()).toEqual({ ranges: [{ from: 0, to: 5 }], readings: 4371 });
    file.remove([
      { from: 1, to: 2 },
      { from: 3, to: 4 },
    ]);
  }
  using file = open(folder.path);
  expect(file.backlog()).toEqual({
    ranges: [
      { from: 0, to: 1 },
      { from: 2, to: 3 },
      { from: 4, to: 5 },
    ],
    readings: 351,
  });
  file.remove([{ from: 0, to: 5 }]);
  expect(file.backlog()).toEqual({ ranges: [], readings: 0 });
  expect(file.state).toMatchObject({ first: 5, next: 5, nextNumber: 4371, liveBytes: 0 });
});
