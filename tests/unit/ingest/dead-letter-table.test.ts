import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { JournalFile } from "#ingest/journal/journal-file.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { bounds, groupOf, openJournalFile, refused, textOf } from "./journal-support.ts";

async function listed(
  journal: JournalFile,
  filter: Partial<Parameters<JournalFile["deadLetters"]>[0]> = {},
): Promise<(string | null)[]> {
  return (await journal.deadLetters({ limit: 1_000, ...filter })).map(({ payload }) => textOf(payload));
}

describe("dead letters", () => {
  test("are kept with reason, hash and bytes, and found by id, gateway and reason", async () => {
    using folder = tempFolder("letters");
    using journal = openJournalFile(folder.path);
    journal.commit(
      groupOf({
        deadLetters: [
          refused({ bytes: "a", reason: "syntax", at: 5, readings: 3, detail: "why" }),
          refused({ bytes: "b", reason: "future", gateway: "gw-2", channel: "json" }),
          refused({ bytes: "c", reason: "future" }),
        ],
      }),
    );
    const [c, b, a] = await journal.deadLetters({ limit: 10 });
    expect(a).toEqual({
      id: "gw-1.0",
      gateway: "gw-1",
      agency: "water",
      channel: "lp",
      reason: "syntax",
      detail: "why",
      readings: 3,
      at: 5,
      bytes: 1,
      kept: true,
      sha256: "ca978112ca1bbdca",
      payload: new Uint8Array([0x61]),
    });
    expect([b?.id, c?.id]).toEqual(["gw-2.1", "gw-1.2"]);
    expect(await listed(journal, { id: "gw-2.1" })).toEqual(["b"]);
    expect(await listed(journal, { id: "gw-2.7" })).toEqual([]);
    expect(await listed(journal, { id: "../x" })).toEqual([]);
    expect(await listed(journal, { gateway: "gw-1" })).toEqual(["c", "a"]);
    expect(await listed(journal, { reason: "future" })).toEqual(["c", "b"]);
    expect(await listed(journal, { gateway: "gw-3" })).toEqual([]);
  });

  test("beyond a gateway's bytes the oldest bytes go; facts stay, other gateways keep theirs", async () => {
    using folder = tempFolder("letters");
    {
      using journal = openJournalFile(folder.path);
      journal.commit(groupOf({ deadLetters: [refused({ gateway: "gw-2", bytes: "other" })] }));
      for (let i = 0; i < 7; i += 1)
        journal.commit(groupOf({ deadLetters: [refused({ bytes: `${i}`.repeat(300) })] }));
    }
    using journal = openJournalFile(folder.path);
    const letters = await journal.deadLetters({ limit: 100 });
    expect(letters.map(({ kept, payload }) => [kept, payload === null])).toEqual([
      [true, false],
      [true, false],
      [true, false],
      ...Array.from({ length: 4 }, () => [false, true]),
      [true, false],
    ]);
    expect(
      letters.every(
        ({ sha256, bytes, gateway }) => sha256.length === 16 && bytes === (gateway === "gw-2" ? 5 : 300),
      ),
    ).toBe(true);
    expect(journal.status().deadLetterBytes).toBe(905);
  });

  test("beyond the bytes of all gateways the oldest of the gateway with the most go", async () => {
    using folder = tempFolder("letters");
    using journal = openJournalFile(folder.path, { ...bounds, bytes: 1_000 });
    journal.commit(groupOf({ deadLetters: [refused({ gateway: "small", bytes: "s".repeat(100) })] }));
    for (const i of [1, 2, 3])
      journal.commit(groupOf({ deadLetters: [refused({ gateway: "large", bytes: `${i}`.repeat(290) })] }));
    journal.commit(groupOf({ deadLetters: [refused({ gateway: "small", bytes: "t".repeat(100) })] }));
    const kept = await journal.deadLetters({ limit: 10 });
    expect(kept.map(({ gateway, kept }) => [gateway, kept])).toEqual([
      ["small", true],
      ["large", true],
      ["large", true],
      ["large", false],
      ["small", true],
    ]);
  });

  test("bytes too old go hourly, some at a time, also those of a gateway that went silent", async () => {
    using folder = tempFolder("letters");
    using journal = openJournalFile(folder.path, { ...bounds, bytesPerGateway: 1_000_000, bytes: 1_000_000 });
    const old = Array.from({ length: 1_500 }, (_, i) => refused({ at: 10, bytes: `${i}` }));
    journal.commit(groupOf({ deadLetters: [...old, refused({ at: 5_000, bytes: "young" })] }));
    journal.commit(groupOf({ deadLetters: [refused({ gateway: "gw-2", at: 10, bytes: "silent" })] }));
    expect(journal.expireDeadLetters(1_000)).toBe(false);
    expect(journal.status().deadLetterBytes).toBeGreaterThan(11);
    expect(journal.expireDeadLetters(1_500)).toBe(true);
    expect(journal.expireDeadLetters(1_500)).toBe(false);
    expect(journal.status().deadLetterBytes).toBe(5);
    expect((await listed(journal)).filter((text) => text !== null)).toEqual(["young"]);
  });

  test("are listed newest first over all gateways, whatever the clock did, and paged in order with `after`", async () => {
    using folder = tempFolder("letters");
    using journal = openJournalFile(folder.path, { ...bounds, bytesPerGateway: 100_000, bytes: 100_000 });
    const letters = Array.from({ length: 600 }, (_, i) =>
      refused({
        gateway: `gw-${i % 3}`,
        at: 1_000 - i,
        bytes: `${i}`,
        reason: i % 2 === 0 ? "syntax" : "future",
      }),
    );
    journal.commit(groupOf({ deadLetters: letters }));
    expect(await listed(journal, { limit: 4 })).toEqual(["599", "598", "597", "596"]);
    expect(await listed(journal, { limit: 2, gateway: "gw-0", reason: "syntax" })).toEqual(["594", "588"]);
    const paged: (string | null)[] = [];
    let after: string | undefined = "";
    while (after !== undefined) {
      const page = await journal.deadLetters({ after, limit: 77 });
      paged.push(...page.map(({ payload }) => textOf(payload)));
      after = page.at(-1)?.id;
    }
    const expected = [0, 1, 2].flatMap((gateway) =>
      Array.from({ length: 200 }, (_, i) => `${i * 3 + gateway}`),
    );
    expect(paged).toEqual(expected);
  });
});

test("any history of refusals and replays keeps within the bounds, and the newest bytes are those kept", async () => {
  using folder = tempFolder("letters");
  const step = fc.record({
    gateway: fc.constantFrom("gw-1", "gw-2", "gw-3"),
    sizes: fc.array(fc.nat(400), { maxLength: 4 }),
    done: fc.array(fc.nat(30), { maxLength: 2 }),
  });
  let run = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
      run += 1;
      const limits = { bytesPerGateway: 1_000, bytes: 2_000, maxAge: 1_000 };
      using journal = openJournalFile(`${folder.path}/${run}`, limits);
      const removed = new Set<string>();
      let number = 0;
      for (const { gateway, sizes, done } of steps) {
        const deadLettersDone = done.map((n) => `${gateway}.${n}`);
        const known = (await journal.deadLetters({ limit: 1_000 })).map(({ id }) => id);
        for (const id of deadLettersDone) if (known.includes(id)) removed.add(id);
        journal.commit(
          groupOf({
            deadLettersDone,
            deadLetters: sizes.map((size) => refused({ gateway, bytes: "x".repeat(size) })),
          }),
        );
        number += sizes.length;
        const letters = await journal.deadLetters({ limit: 1_000 });
        expect(letters).toHaveLength(number - removed.size);
        const kept = letters.filter(({ payload }) => payload !== null);
        const sum = kept.reduce((bytes, letter) => bytes + letter.bytes, 0);
        expect(journal.status().deadLetterBytes).toBe(sum);
        expect(sum).toBeLessThanOrEqual(2_000);
        for (const name of ["gw-1", "gw-2", "gw-3"]) {
          const own = letters.filter((letter) => letter.gateway === name);
          const keptOwn = own.filter(({ payload }) => payload !== null);
          expect(keptOwn.reduce((bytes, letter) => bytes + letter.bytes, 0)).toBeLessThanOrEqual(1_000);
          expect(own.slice(0, keptOwn.length)).toEqual(keptOwn);
        }
      }
    }),
    { numRuns: 15 },
  );
}, 60_000);
