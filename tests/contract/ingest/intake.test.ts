import { randomUUID } from "node:crypto";
import { statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { formatBirth } from "#telemetry/birth.ts";
import { poll } from "../../support/poll.ts";
import { corniche, flow, flows, numbered, openCity, start, storedFlow, storedFlows } from "./support.ts";

describe("what is taken", () => {
  test("readings are acknowledged after the journal's commit, stored, and the ledger balances", async () => {
    await using city = await openCity();
    const session = city.session();
    await session.birth(["tf-1"]);
    const sending = session.send(flows("tf-1", 0, 100));
    expect(session.inFlight).toBe(1); // taken, and no PUBACK in the same turn
    expect(city.account()).toMatchObject({ sent: 100, on_its_way: { journal: 100 }, balanced: true });
    await sending;
    expect(city.account()).toMatchObject({ sent: 100, balanced: true });
    expect(await city.settled()).toMatchObject({
      sent: 100,
      stored: 100,
      duplicate: 0,
      refused: 0,
      sensors: 1,
    });
    expect(await city.stored()).toEqual(storedFlows("tf-1", 0, 100));
  });

  test("readings that follow their birth at once are taken", async () => {
    await using city = await openCity();
    const session = city.session();
    await Promise.all([
      session.birth(["tf-1"]),
      session.send(flow("tf-1", 1)),
      session.birth(["tf-1", "tf-2"]),
    ]);
    await session.send(flow("tf-2", 1));
    expect(await city.settled()).toMatchObject({ sent: 2, stored: 2, on_its_way: { waiting: 0 } });
  });

  test("readings that follow a birth at once are read by the names that it gives", async () => {
    await using city = await openCity();
    const session = city.session();
    const called = (field: string): Promise<void> =>
      session.send(
        formatBirth({
          agent: "test",
          sensors: [{ id: "tf-1", place: "QA-DA", senml: { x: `traffic_flow.${field}` } }],
        }),
        "birth",
      );
    const reading = (second: number): Promise<void> =>
      session.send(JSON.stringify([{ n: "tf-1/x", v: 5, t: start / 1_000 + second }]), "senml");
    await Promise.all([called("vehicles"), reading(0), called("speed_avg"), reading(1)]);
    expect(await city.settled()).toMatchObject({ sent: 2, stored: 2 });
    expect(await city.stored()).toEqual([`tf-1 ${start} vehicles=5`, `tf-1 ${start + 1_000} speed_avg=5`]);
  });

  test("what changes nothing is acknowledged without a write to the disk", async () => {
    await using city = await openCity();
    const session = city.session();
    await session.birth(["tf-1"]);
    await session.send(flow("tf-1", 1));
    await city.settled();
    await sleep(500); // trimmed, too
    const written = (): bigint => statSync(join(city.journal, "data.mdb"), { bigint: true }).mtimeNs;
    const before = written();
    await session.birth(["tf-1"]);
    await session.send("# nothing but a comment");
    expect(written()).toBe(before);
    await session.send(flow("tf-1", 2));
    expect(written()).toBeGreaterThan(before);
  });

  test("PUBACKs come in the order of the messages, over all kinds of them", async () => {
    await using city = await openCity();
    const session = city.session();
    const order: number[] = [];
    const messages = [
      "",
      "# a comment\n",
      "broken",
      flow("tf-1", 1),
      flow("unknown", 1),
      "[]",
      flow("tf-1", 2),
    ];
    await session.birth(["tf-1"]);
    await Promise.all(
      messages.map(async (message, i) => {
        await session.send(message, message === "[]" ? "json" : "lp");
        order.push(i);
      }),
    );
    expect(order).toEqual(messages.map((_, i) => i));
    expect(await city.settled()).toMatchObject({
      sent: 4,
      stored: 2,
      refused: 1,
      on_its_way: { waiting: 1 },
    });
  });

  test("refused readings are told with their bytes, although the socket's buffer is used again", async () => {
    await using city = await openCity();
    const session = city.session();
    const outbox = randomUUID();
    await session.birth(["tf-1"]);
    const lines = [
      flow("tf-1", 1),
      `traffic_flow,sensor=tf-1 vehicles=-5 ${start}\n`,
      "parkng,sensor=x a=1 1\n",
    ];
    await session.send(numbered(outbox, 700, 3, lines.join("")));
    expect(await city.settled()).toMatchObject({
      sent: 703, // 700 are missing
      stored: 1,
      refused_by_reason: { "out-of-range": 1, "unknown-measurement": 1 },
    });
    const told = await poll(() => city.told.find(({ nack }) => nack)?.nack);
    expect(told).toMatchObject({
      count: 2,
      rejections: [
        { reason: "out-of-range", outbox, number: 701, excerpt: lines[1]!.trim() },
        { reason: "unknown-measurement", outbox, number: 702, excerpt: lines[2]!.trim() },
      ],
    });
    const letters = await city.ingest.deadLetters({ limit: 10 });
    expect(letters.map(({ payload }) => Buffer.from(payload ?? []).toString())).toEqual(
      expect.arrayContaining([lines[1]!.trim(), lines[2]!.trim()]),
    );
  });

  test("a gateway that moves to another agency is known by its name, and its readings by the new agency's sensors", async () => {
    await using city = await openCity();
    const before = city.session();
    await before.birth(["s-1"]);
    await before.send(flow("s-1", 1));
    const after = city.session({ ...corniche, agency: "water" });
    await after.birth(["s-1"]);
    await after.send(flow("s-1", 2));
    expect(await city.settled()).toMatchObject({ agency: "water", sent: 2, stored: 2 });
    expect(Array.from(await city.store.series()).map(({ agency, sensor }) => [agency, sensor])).toEqual([
      ["mobility", "s-1"],
      ["water", "s-1"],
    ]);
    await city.restart();
    expect(city.account()).toMatchObject({ agency: "water", sent: 2, stored: 2, balanced: true });
  });

  test("another gateway's sensor is refused, also for a gateway that has sent nothing yet", async () => {
    await using city = await openCity();
    const owner = city.session({ name: "owner-1", agency: "mobility" });
    await owner.birth(["tf-1"]);
    const rival = city.session();
    await rival.send(flow("tf-1", 1));
    expect(await city.settled()).toMatchObject({ sent: 1, refused_by_reason: { "sensor-owned": 1 } });
  });
});

describe("batch headers", () => {
  test("numbers seen before are duplicates, in part or as a whole, before and after a restart", async () => {
    await using city = await openCity();
    const session = city.session();
    const outbox = randomUUID();
    await session.birth(["tf-1"]);
    await session.send(numbered(outbox, 0, 50, flows("tf-1", 0, 50)));
    await session.send(numbered(outbox, 0, 50, flows("tf-1", 0, 50)));
    await city.restart();
    const again = city.session();
    await again.send(numbered(outbox, 20, 60, flows("tf-1", 20, 80)));
    await again.send(numbered(outbox, 0, 80, flows("tf-1", 0, 80)));
    expect(await city.settled()).toMatchObject({
      sent: 240,
      stored: 80,
      merged: 0,
      duplicate: 160,
      missing: [],
    });
    expect(await city.stored()).toEqual(storedFlows("tf-1", 0, 80));
  });

  test.each([
    [2, "claims fewer readings than there are"],
    [9, "claims more readings than there are"],
  ])("a header with n=%i %s: numbers that were seen do not hide new readings", async (n) => {
    await using city = await openCity();
    const session = city.session();
    const outbox = randomUUID();
    await session.birth(["tf-1"]);
    await session.send(numbered(outbox, 0, 10, flows("tf-1", 0, 10)));
    await session.send(numbered(outbox, 0, n, flows("tf-1", 100, 105)));
    expect(await city.settled()).toMatchObject({
      stored: 15,
      duplicate: 0,
      refused_by_reason: { "bad-header": 1 },
    });
    expect(await city.stored()).toEqual(
      [...storedFlows("tf-1", 0, 10), ...storedFlows("tf-1", 100, 105)].sort(),
    );
  });

  test("a header far ahead of what came leaves numbers that the account can still say", async () => {
    await using city = await openCity();
    const session = city.session();
    await session.birth(["tf-1"]);
    for (const second of [1, 2, 3]) {
      await session.send(numbered(randomUUID(), Number.MAX_SAFE_INTEGER - 1, 1, flow("tf-1", second)));
    }
    const { sent, on_its_way: onItsWay } = await city.settled();
    expect(onItsWay.missing).toBe(1e12);
    expect(Number.isSafeInteger(sent)).toBe(true);
  });

  test("a gateway with a new outbox for each message does not fill memory or disk, and loses no reading", async () => {
    await using city = await openCity();
    const session = city.session();
    await session.birth(["tf-1"]);
    const kept = randomUUID();
    for (let second = 0; second < 40; second += 1) {
      await session.send(numbered(kept, second, 1, flow("tf-1", 1_000 + second)));
      await session.send(numbered(randomUUID(), 5, 1, flow("tf-1", second)));
    }
    expect((await city.settled()).on_its_way.missing).toBe(15 * 5);
    await city.restart();
    expect(city.account()).toMatchObject({ stored: 80, balanced: true, on_its_way: { missing: 15 * 5 } });
    await city.session().send(numbered(kept, 0, 40, flows("tf-1", 1_000, 1_040)));
    expect(await city.settled()).toMatchObject({ stored: 80, duplicate: 40 });
  });
});

describe("time", () => {
  test("a clock that goes back harms neither numbers nor ledger", async () => {
    let now = Date.now();
    await using city = await openCity({ now: () => now });
    const session = city.session();
    const outbox = randomUUID();
    await session.birth(["tf-1"]);
    await session.send(numbered(outbox, 0, 1, flow("tf-1", 0)));
    now = start - 240_000; // within what a reading may be ahead
    await session.send(numbered(outbox, 1, 1, flow("tf-1", 1)));
    now = start - 360_000;
    await session.send(numbered(outbox, 2, 1, flow("tf-1", 2)));
    const account = await city.settled();
    expect(account).toMatchObject({ sent: 3, stored: 2, refused_by_reason: { future: 1 }, missing: [] });
    await city.restart();
    expect(city.account()).toEqual({ ...account, last_seen: now });
  });

  test("the same key in every format is one row, the last value wins", async () => {
    await using city = await openCity();
    const session = city.session();
    await session.birth(["tf-1"]);
    await session.send(flow("tf-1", 1, 10));
    const reading = {
      measurement: "traffic_flow",
      sensor: "tf-1",
      time: start + 1_000,
      fields: { vehicles: 11 },
    };
    await session.send(JSON.stringify([reading]), "json");
    expect(await city.settled()).toMatchObject({ sent: 2, stored: 2, merged: 1 });
    expect(await city.stored()).toEqual([storedFlow("tf-1", 1, 11)]);
  });
});
