import { readdirSync, statSync, truncateSync } from "node:fs";
import { join } from "node:path";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { jsonCodec, openDurableQueue } from "#runtime/durable-queue.ts";
import { copyLmdb } from "#runtime/lmdb-copy.ts";
import { openRecordStore } from "#runtime/record-store.ts";
import { tempFolder } from "../../support/temp-folder.ts";

const codes = { corrupt: "QUEUE_CORRUPT", unwritable: "QUEUE_UNWRITABLE" } as const;
const bounds = { maxLiveBytes: 2 ** 26, maxFileBytes: 2 ** 27 };

function record(n: number): Uint8Array {
  return new Uint8Array(20 + (n % 5) * 4000).fill(n % 251);
}

test("the copy of a queue is that queue: records, positions, tables, UUID; and no longer than what is in it", () => {
  using folder = tempFolder("lmdb-copy");
  const [from, to] = [join(folder.path, "from"), join(folder.path, "to")];
  using queue = openDurableQueue({ path: from, ...bounds, tables: ["notes"] });
  for (let n = 0; n < 1000; n += 100) {
    queue.commit((transaction) => {
      for (let i = n; i < n + 100; i++) transaction.append(record(i));
      transaction.table("notes", jsonCodec).put(["a", n], { n });
      transaction.table("notes", jsonCodec).put(`b${n}`, [n]);
    });
  }
  queue.trim(700);
  const before = statSync(join(from, "data.mdb")).size;
  const bytes = copyLmdb({ from, to, codes });
  expect(readdirSync(to)).toEqual(["data.mdb"]);
  expect(statSync(join(to, "data.mdb")).size).toBe(bytes);
  expect(bytes).toBeLessThan(before / 2);
  // What comes after is not in it.
  queue.commit((transaction) => transaction.append(record(1000)));

  using copy = openDurableQueue({ path: to, ...bounds, tables: ["notes"] });
  expect(copy).toMatchObject({ uuid: queue.uuid, first: 700, next: 1000 });
  const records = copy.read(0, 2 ** 30);
  expect(records.map(({ position }) => position)).toEqual(Array.from({ length: 300 }, (_, i) => 700 + i));
  for (const { position, record: bytes } of records) expect(bytes).toEqual(record(position));
  expect(copy.table("notes", jsonCodec).range()).toEqual(queue.table("notes", jsonCodec).range());
  copy.commit((transaction) => transaction.append(record(1)));
  expect(copy.next).toBe(1001);
});

test("whatever records and keys there are, the copy has them all", async () => {
  const name = fc.string({ minLength: 1, maxLength: 20 }).filter((text) => !text.includes("\0"));
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(name, name, fc.jsonValue()), { maxLength: 60 }), async (puts) => {
      using folder = tempFolder("lmdb-copy");
      const [from, to] = [join(folder.path, "from"), join(folder.path, "to")];
      await using records = await openRecordStore(from);
      for (const [table, key, value] of puts)
        records.transaction((transaction) => transaction.put(table, key, value));
      copyLmdb({ from, to, codes });
      await using copied = await openRecordStore(to);
      expect(copied.version).toBe(records.version);
      for (const [table] of puts) expect(copied.entries(table)).toEqual(records.entries(table));
    }),
    { numRuns: 20 },
  );
});

test("a file that is corrupt is refused, not copied", () => {
  using folder = tempFolder("lmdb-copy");
  const from = join(folder.path, "from");
  openDurableQueue({ path: from, ...bounds })[Symbol.dispose]();
  truncateSync(join(from, "data.mdb"), 5000);
  expect(() => copyLmdb({ from, to: join(folder.path, "to"), codes })).toThrow(
    expect.objectContaining({ code: "QUEUE_CORRUPT" }),
  );
});
