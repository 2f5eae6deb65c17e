import { randomUUID } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { MarsadError } from "#runtime/errors.ts";
import type { Store, StoreBatch, StoreOutcome } from "#store/port.ts";
import { poll } from "../../support/poll.ts";
import { flow, flows, numbered, openCity, storedFlows } from "./support.ts";
import { storeOver } from "../../support/store-over.ts";
import { SeriesTable } from "#telemetry/series-table.ts";

/** The real store behind a fault that a test can switch: before the write takes place, or after it, unheard. */
class FaultyStore {
  fault: "none" | "before" | "after" = "none";
  failures = 0;

  readonly wrap = (store: Store): Store =>
    storeOver(store, {
      write: (batch) => this.#write(store, batch),
    });

  async #write(store: Store, batch: StoreBatch): Promise<StoreOutcome> {
    const { fault } = this;
    if (fault === "before") throw this.#error();
    const outcome = await store.write(batch);
    if (fault === "after") throw this.#error();
    return outcome;
  }

  #error(): MarsadError {
    this.failures += 1;
    return new MarsadError("STORE_UNAVAILABLE", "the test says no");
  }
}

describe("a store that fails for a while", () => {
  test.each(["before", "after"] as const)(
    "%s it has written: readings are taken meanwhile, and all are stored once",
    async (fault) => {
      const faulty = new FaultyStore();
      await using city = await openCity({ wrap: faulty.wrap });
      const session = city.session();
      await session.birth(["tf-1"]);
      await session.send(flows("tf-1", 0, 10));
      await city.settled();
      faulty.fault = fault;
      for (let i = 1; i < 6; i += 1) {
        await session.send(flows("tf-1", i * 10, i * 10 + 12)); // two of them again with the next
        await sleep(20);
      }
      await poll(() => faulty.failures > 1, { interval: 5 });
      expect(city.ingest.trouble().store).toBe("the test says no");
      expect(city.account()).toMatchObject({ sent: 70, on_its_way: { journal: 60 }, balanced: true });
      faulty.fault = "none";
      expect(await city.settled()).toMatchObject({ sent: 70, stored: 62, merged: 0, duplicate: 8 });
      expect(city.ingest.trouble().store).toBeUndefined();
      expect(city.ingest.totals()).toMatchObject({ received: 70, stored: 62, duplicate: 8, journal: 0 });
      expect(await city.stored()).toEqual(storedFlows("tf-1", 0, 62));
    },
  );

  test.each(["before", "after"] as const)(
    "%s it has written, and the platform ends meanwhile: the next start goes on from what the store has",
    async (fault) => {
      const faulty = new FaultyStore();
      await using city = await openCity({ wrap: faulty.wrap });
      const session = city.session();
      await session.birth(["tf-1"]);
      await session.send(flows("tf-1", 0, 10));
      await city.settled();
      faulty.fault = fault;
      await session.send(flows("tf-1", 10, 20));
      await session.send(flows("tf-1", 15, 30));
      await poll(() => faulty.failures > 0, { interval: 5 });
      const restarted = city.restart(() => {
        faulty.fault = "none";
      });
      await restarted;
      expect(await city.settled()).toMatchObject({ sent: 35, stored: 30, duplicate: 5 });
      expect(await city.stored()).toEqual(storedFlows("tf-1", 0, 30));
    },
  );

  test.each([1, 3_000, 16 * 1024 * 1024])(
    "with %i bytes of recent readings in memory, the rest is read back from the journal and all are stored once",
    async (recent_bytes) => {
      const faulty = new FaultyStore();
      await using city = await openCity({ wrap: faulty.wrap, limits: { recent_bytes, batch_readings: 50 } });
      const session = city.session();
      await session.birth(["tf-1"]);
      let sent = 0;
      const send = async (messages: number): Promise<void> => {
        for (let i = 0; i < messages; i += 1, sent += 20) await session.send(flows("tf-1", sent, sent + 20));
      };
      for (const fault of ["after", "before", "after"] as const) {
        await send(3);
        faulty.fault = fault;
        const { failures } = faulty;
        await send(10);
        await poll(() => faulty.failures > failures, { interval: 5 });
        faulty.fault = "none";
        await send(10); // behind a backlog
      }
      expect(await city.settled()).toMatchObject({ sent, stored: sent, duplicate: 0 });
      expect(await city.stored()).toEqual(storedFlows("tf-1", 0, sent));
    },
  );

  test("the journal fills up to its bound, PUBACKs wait, and all goes on once the store does", async () => {
    const faulty = new FaultyStore();
    faulty.fault = "before";
    const limits = { journal_bytes: 100_000, group_bytes: 4 * 1024 * 1024 };
    await using city = await openCity({ wrap: faulty.wrap, limits });
    const session = city.session();
    await session.birth(["tf-1"]);
    const messages = 60;
    const sending = Array.from({ length: messages }, (_, i) =>
      session.send(flows("tf-1", i * 100, i * 100 + 100)),
    );
    await poll(() => city.ingest.trouble().journal, { interval: 20 });
    const acknowledged = session.acknowledgedMessages;
    expect(acknowledged).toBeLessThan(messages);
    expect(session.held).toBeGreaterThan(0);
    expect(city.account().balanced).toBe(true);
    await sleep(1_500);
    expect(session.acknowledgedMessages).toBe(acknowledged); // nothing more is promised
    faulty.fault = "none";
    await Promise.all(sending);
    expect(await city.settled()).toMatchObject({ sent: messages * 100, stored: messages * 100 });
    await poll(() => city.ingest.trouble().journal === undefined);
  });

  test("a platform that ends while its journal is full acknowledges nothing more and loses nothing acknowledged", async () => {
    const faulty = new FaultyStore();
    faulty.fault = "before";
    await using city = await openCity({
      wrap: faulty.wrap,
      limits: { journal_bytes: 30_000, group_bytes: 10_000 },
    });
    const session = city.session();
    const outbox = randomUUID();
    await session.birth(["tf-1"]);
    const message = (i: number): string =>
      numbered(outbox, i * 100, 100, flows("tf-1", i * 100, i * 100 + 100));
    for (let i = 0; i < 20; i += 1) void session.send(message(i));
    await poll(() => city.ingest.trouble().journal, { interval: 20 });
    await city.restart(() => session.end());
    const acknowledgedMessages = session.acknowledgedMessages - 1; // the birth
    expect(acknowledgedMessages).toBeLessThan(20);
    expect(city.account().sent).toBeGreaterThanOrEqual(acknowledgedMessages * 100);
    faulty.fault = "none";
    const again = city.session();
    await Promise.all(Array.from({ length: 20 }, (_, i) => again.send(message(i))));
    expect(await city.settled()).toMatchObject({ stored: 2_000, missing: [] });
    expect(await city.stored()).toEqual(storedFlows("tf-1", 0, 2_000));
  });
});

describe("journal and store that do not come from one moment", () => {
  test("another journal beside the same store: numbers of series go on, and the ledger starts anew and balances", async () => {
    await using city = await openCity();
    const before = city.session();
    await before.birth(["tf-1", "tf-2"]);
    await before.send(flows("tf-1", 0, 10) + flows("tf-2", 0, 10));
    await city.settled();
    for (const round of [1, 2]) {
      const { journal } = city.ingest;
      await city.restart(() => rm(city.journal, { recursive: true }));
      expect(city.ingest.journal).not.toBe(journal);
      const session = city.session();
      await session.send(flows("tf-2", 5, 15) + flow("tf-1", 100 * round));
      const account = await city.settled();
      expect(account).toMatchObject(
        round === 1 ? { sent: 11, stored: 6, duplicate: 5 } : { sent: 11, stored: 1, duplicate: 10 },
      );
      await city.restart();
      expect(city.account()).toEqual(account);
      await city.session().send(flow("tf-1", 100 * round));
      expect(await city.settled()).toMatchObject({ sent: 12, duplicate: account.duplicate + 1 });
    }
    expect(Array.from(city.ingest.series(), ({ series, sensor }) => [series, sensor])).toEqual([
      [0, "tf-1"],
      [1, "tf-2"],
    ]);
    expect(await city.stored()).toHaveLength(27);
  });

  test("a store that is ahead of its journal is refused", async () => {
    await using city = await openCity({
      wrap: (store) => storeOver(store, { position: async () => 99 }),
    }).catch((error: unknown) => ({ error, [Symbol.asyncDispose]: async () => undefined }));
    expect(city).toMatchObject({
      error: { code: "STORE_FORMAT", message: expect.stringContaining("up to 99") },
    });
  });

  test("a store that lost what the journal had given up is refused, and taken again once it is back", async () => {
    let lost = false;
    await using city = await openCity({
      wrap: (store) =>
        storeOver(store, {
          position: async (journal) => (lost ? 0 : await store.position(journal)),
        }),
    });
    const session = city.session();
    await session.birth(["tf-1"]);
    await session.send(flow("tf-1", 1));
    await city.settled();
    lost = true;
    await expect(city.restart()).rejects.toMatchObject({
      code: "STORE_FORMAT",
      message: expect.stringContaining("before 1"),
    });
    lost = false;
    await city.restart();
    expect(city.account()).toMatchObject({ stored: 1, balanced: true });
  });

  test("a store whose series mean others than the journal's is refused", async () => {
    let swapped = false;
    await using city = await openCity({
      wrap: (store) =>
        storeOver(store, {
          series: async () =>
            SeriesTable.of(
              Array.from(await store.series(), (entry) =>
                swapped ? { ...entry, sensor: `${entry.sensor}x` } : entry,
              ),
            ),
        }),
    });
    const session = city.session();
    await session.birth(["tf-1"]);
    await session.send(flow("tf-1", 1));
    await city.settled();
    swapped = true;
    await expect(city.restart()).rejects.toMatchObject({
      code: "STORE_FORMAT",
      message: expect.stringContaining("tf-1x"),
    });
    swapped = false;
    await city.restart();
  });

  test("a store that forgets while it runs ends ingest, instead of leaving a gap", async () => {
    const faulty = new FaultyStore();
    let lost = false;
    await using city = await openCity({
      wrap: (store) =>
        storeOver(faulty.wrap(store), {
          position: async (journal) => (lost ? 0 : await store.position(journal)),
        }),
    });
    const session = city.session();
    await session.birth(["tf-1"]);
    await session.send(flow("tf-1", 1));
    await city.settled();
    lost = true;
    faulty.fault = "before";
    await session.send(flow("tf-1", 2));
    await expect(city.ingest.failed).rejects.toMatchObject({
      code: "STORE_FORMAT",
      message: expect.stringContaining("lost"),
    });
    lost = false;
    faulty.fault = "none";
    await city.restart();
    expect(await city.settled()).toMatchObject({ sent: 2, stored: 2 });
  });

  test("a folder in use by another ingest is refused", async () => {
    await using city = await openCity();
    await expect(openCity({ journal: city.journal })).rejects.toMatchObject({ code: "DATA_LOCKED" });
    expect(join(city.journal)).toBe(city.journal);
  });
});
