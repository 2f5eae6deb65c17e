import { describe, expect, test } from "vitest";
import { builtinCatalogue } from "#telemetry/builtin-catalogue.ts";
import { makeCatalogue } from "#telemetry/catalogue.ts";
import { poll } from "../../support/poll.ts";
import { corniche, flow, flows, openCity, start, storedFlows } from "./support.ts";

const text = (bytes: Uint8Array | null | undefined): string => Buffer.from(bytes ?? []).toString();

describe("replaying dead letters", () => {
  test("stores what is good under today's rules, keeps the rest, and the ledger balances", async () => {
    let now = start;
    await using city = await openCity({ now: () => now });
    const session = city.session();
    await session.birth(["tf-1"]);
    await session.send(
      flows("tf-1", 0, 3) + flows("tf-1", 1_000, 1_010) + "traffic_flow,sensor=tf-1 vehicles=-1 1\n",
    );
    expect(await city.settled()).toMatchObject({
      sent: 14,
      refused_by_reason: { future: 10, "out-of-range": 1 },
    });
    expect(await city.ingest.replayDeadLetters({})).toEqual({ tried: 11, accepted: 0, refused: 11 });
    now = Date.now();
    await city.restart();
    expect(await city.ingest.replayDeadLetters({ reason: "syntax" })).toEqual({
      tried: 0,
      accepted: 0,
      refused: 0,
    });
    expect(await city.ingest.replayDeadLetters({})).toEqual({ tried: 11, accepted: 10, refused: 1 });
    const account = await city.settled();
    expect(account).toMatchObject({
      sent: 14,
      stored: 13,
      refused: 1,
      refused_by_reason: { "out-of-range": 1 },
    });
    expect(await city.stored()).toEqual(
      [...storedFlows("tf-1", 0, 3), ...storedFlows("tf-1", 1_000, 1_010)].sort(),
    );
    expect(await city.ingest.deadLetters({ limit: 10 })).toHaveLength(1);
    expect(city.ingest.totals()).toMatchObject({ received: 0, stored: 10, refused: 0 }); // since the restart; never below
    await city.restart();
    expect(city.account()).toEqual(account);
  });

  test("two at once take a letter once; one letter alone may be asked for", async () => {
    let now = start;
    await using city = await openCity({ now: () => now });
    const session = city.session();
    await session.birth(["tf-1"]);
    for (let i = 0; i < 120; i += 1) await session.send(flow("tf-1", 1_000 + i));
    now = Date.now();
    const [letter] = await city.ingest.deadLetters({ limit: 1 });
    expect(await city.ingest.replayDeadLetters({ id: letter!.id })).toEqual({
      tried: 1,
      accepted: 1,
      refused: 0,
    });
    expect(await city.ingest.replayDeadLetters({ id: letter!.id })).toEqual({
      tried: 0,
      accepted: 0,
      refused: 0,
    });
    const counts = await Promise.all([
      city.ingest.replayDeadLetters({}),
      city.ingest.replayDeadLetters({ gateway: corniche.name }),
    ]);
    expect(counts.map(({ accepted }) => accepted)).toEqual([119, 0]);
    expect(await city.settled()).toMatchObject({ sent: 120, stored: 120, refused: 0 });
  });

  test("a letter that is now refused for another reason becomes that, and is not tried twice in one replay", async () => {
    const without = makeCatalogue(
      builtinCatalogue.measurements.filter(({ name }) => name !== "traffic_flow"),
    );
    let catalogue = without;
    await using city = await openCity({
      get catalogue() {
        return catalogue;
      },
    });
    const session = city.session();
    await session.birth(["tf-1"]);
    await session.send(flow("tf-1", 1) + flow("tf-1", 2, -5) + flow("tf-9", 3));
    expect(await city.settled()).toMatchObject({ refused_by_reason: { "unknown-measurement": 3 } });
    catalogue = builtinCatalogue;
    await city.restart();
    expect(await city.ingest.replayDeadLetters({})).toEqual({ tried: 3, accepted: 1, refused: 2 });
    expect(await city.settled()).toMatchObject({
      sent: 3,
      stored: 1,
      refused_by_reason: { "out-of-range": 1 },
      on_its_way: { waiting: 1 },
    });
    await city.session().birth(["tf-9"]);
    await poll(() => city.account().on_its_way.waiting === 0, { interval: 5 });
    expect(await city.settled()).toMatchObject({ stored: 2, refused: 1 });
  });

  test.each([
    ["lp", "\r\r\nx\n"],
    ["lp", "a\n\n \n# b\nb\r\n"],
    [
      "json",
      `[[${JSON.stringify({ measurement: "traffic_flow", sensor: "tf-1", time: 1, fields: {} })}], 5, "", null]`,
    ],
    ["json", '[{"readings":[]}]'],
    ["json", ""],
    ["json", "{"],
  ] as const)(
    "bytes that mean something else by themselves do not upset the ledger: %s %j",
    async (channel, payload) => {
      await using city = await openCity();
      const session = city.session();
      await session.birth(["tf-1"]);
      await session.send(payload, channel);
      const account = await city.settled();
      expect(account.refused).toBe(account.sent);
      const count = await city.ingest.replayDeadLetters({});
      expect(count.accepted).toBe(0);
      expect(await city.settled()).toEqual(account);
    },
  );

  test("goes on while readings come, and none is lost", async () => {
    let now = start;
    await using city = await openCity({ now: () => now });
    const session = city.session();
    await session.birth(["tf-1"]);
    for (let i = 0; i < 300; i += 1) await session.send(flows("tf-1", 1_000 + i * 10, 1_010 + i * 10));
    now = Date.now();
    const arriving = (async () => {
      for (let i = 0; i < 50; i += 1) await session.send(flows("tf-1", 10_000 + i * 10, 10_010 + i * 10));
    })();
    expect((await city.ingest.replayDeadLetters({})).accepted).toBe(3_000);
    await arriving;
    expect(await city.settled()).toMatchObject({ sent: 3_500, stored: 3_500, duplicate: 0, refused: 0 });
    expect(await city.stored()).toHaveLength(3_500);
  });
});

describe("births that are wrong", () => {
  test("are kept and told with their reasons, and count as no readings", async () => {
    await using city = await openCity();
    const owner = city.session({ name: "owner-1", agency: "mobility" });
    await owner.birth(["tf-1", "tf-2"]);
    const session = city.session();
    await session.send("no birth", "birth");
    await session.birth(["tf-1", "tf-2", "tf-3"]);
    await session.send(flow("tf-3", 1));
    expect(await city.settled()).toMatchObject({ sent: 1, stored: 1, refused: 0, refused_by_reason: {} });
    const letters = await city.ingest.deadLetters({ gateway: corniche.name, limit: 10 });
    expect(letters).toMatchObject([
      { reason: "sensor-owned", channel: "birth", readings: 0, detail: expect.stringContaining("tf-2") },
      { reason: "bad-birth", channel: "birth", readings: 0 },
    ]);
    expect(JSON.parse(text(letters[0]?.payload))).toEqual({ sensors: ["tf-1", "tf-2"] });
    expect(
      (await poll(() => city.told.find(({ nack }) => nack)?.nack)).rejections.map(({ reason }) => reason),
    ).toEqual(["bad-birth", "sensor-owned"]);
    expect(await city.ingest.replayDeadLetters({})).toEqual({ tried: 0, accepted: 0, refused: 0 });
  });
});
