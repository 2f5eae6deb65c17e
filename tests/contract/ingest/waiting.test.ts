import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { addSensor, retire } from "#ingest/registry/operator.ts";
import { poll } from "../../support/poll.ts";
import { corniche, flow, flows, numbered, openCity, start, storedFlow, storedFlows } from "./support.ts";

describe("readings of unknown sensors", () => {
  test("are acknowledged, wait, ask for a birth once, and are stored after it; a restart between changes nothing", async () => {
    await using city = await openCity();
    const session = city.session();
    const outbox = randomUUID();
    for (let i = 0; i < 5; i += 1)
      await session.send(numbered(outbox, i * 10, 10, flows("tf-1", i * 10, i * 10 + 10)));
    const waiting = { sent: 50, stored: 0, on_its_way: { waiting: 50 } };
    expect(await city.settled()).toMatchObject(waiting);
    expect(city.told).toEqual([{ gateway: corniche.name, rebirth: true }]);
    await city.restart();
    expect(city.account()).toMatchObject({ ...waiting, balanced: true });
    const again = city.session();
    await again.send(numbered(outbox, 0, 50, flows("tf-1", 0, 50)));
    expect(await city.settled()).toMatchObject({ sent: 100, duplicate: 50, on_its_way: { waiting: 50 } });
    await again.birth(["tf-1"]);
    await poll(() => city.account().on_its_way.waiting === 0, { interval: 5 });
    expect(await city.settled()).toMatchObject({ sent: 100, stored: 50, duplicate: 50 });
    await city.restart();
    expect(await city.settled()).toMatchObject({ sent: 100, stored: 50, duplicate: 50 });
    expect(await city.stored()).toEqual(storedFlows("tf-1", 0, 50));
  });

  test("are not overtaken by younger ones: what arrived last wins", async () => {
    await using city = await openCity();
    const session = city.session();
    const before = [1, 2, 3].map((vehicles) => session.send(flow("tf-1", 0, vehicles)));
    const rest = [
      session.birth(["tf-1"]),
      session.send(flow("tf-1", 0, 4)),
      session.send(flow("tf-1", 1, 5)),
    ];
    await Promise.all([...before, ...rest]);
    expect(await city.settled()).toMatchObject({ sent: 5, stored: 5, merged: 3, on_its_way: { waiting: 0 } });
    expect(await city.stored()).toEqual([storedFlow("tf-1", 0, 4), storedFlow("tf-1", 1, 5)]);
  });

  test("keep their order when only some of a message's sensors become known", async () => {
    await using city = await openCity();
    const session = city.session();
    await session.send(flow("tf-1", 0, 1) + flow("tf-2", 0, 1));
    await session.send(flow("tf-2", 0, 2));
    await session.birth(["tf-1"]);
    await poll(() => city.account().on_its_way.waiting === 2, { interval: 5 });
    await city.restart();
    await city.session().birth(["tf-2"]);
    await poll(() => city.account().on_its_way.waiting === 0, { interval: 5 });
    expect(await city.settled()).toMatchObject({ sent: 3, stored: 3, merged: 1 });
    expect(await city.stored()).toEqual([storedFlow("tf-1", 0, 1), storedFlow("tf-2", 0, 2)]);
  });

  test("are judged by the time of their arrival, and refused for what is wrong with them beside their sensor", async () => {
    let now = Date.now();
    await using city = await openCity({ now: () => now, limits: { max_age_days: 2 } });
    const session = city.session();
    await session.send(
      flow("tf-1", 0) +
        `traffic_flow,sensor=tf-1 vehicles=-1 ${start}\n` +
        flow("tf-1", 86_400 + 600) +
        flow("tf-1", -86_400),
    );
    now += 86_400_000 * 3;
    await session.birth(["tf-1"]);
    await poll(() => city.account().on_its_way.waiting === 0, { interval: 5 });
    expect(await city.settled()).toMatchObject({
      sent: 4,
      stored: 1,
      refused_by_reason: { "out-of-range": 1, future: 1, "too-old": 1 },
    });
    const told = await poll(() => city.told.find(({ nack }) => nack)?.nack);
    expect(told.count).toBe(3);
  });

  test("are stored when an operator registers the sensor, while new readings arrive and the registry changes again", async () => {
    await using city = await openCity();
    const session = city.session();
    for (let i = 0; i < 30; i += 1)
      await session.send(flows("tf-1", i * 10, i * 10 + 10) + flows("tf-2", i * 10, i * 10 + 10));
    const arriving = (async () => {
      for (let i = 30; i < 60; i += 1)
        await session.send(flows("tf-1", i * 10, i * 10 + 10) + flow("tf-2", i * 10));
    })();
    const description = { attributes: { place: "QA-DA" }, rollovers: {} };
    const add = (sensor: string): unknown =>
      city.registry.change([{ agency: "mobility", sensor }], (known) =>
        addSensor(known, corniche, sensor, description, Date.now()),
      );
    add("tf-1");
    await sleep(5);
    add("tf-3");
    await arriving;
    expect(await city.settled()).toMatchObject({ sent: 930, stored: 600, on_its_way: { waiting: 330 } });
    add("tf-2");
    await poll(() => city.account().on_its_way.waiting === 0, { interval: 5 });
    expect(await city.settled()).toMatchObject({ sent: 930, stored: 930, merged: 0, duplicate: 0 });
    expect(await city.stored()).toHaveLength(930);
  });

  test("are refused when the sensor turns out to be retired, or another gateway's", async () => {
    await using city = await openCity();
    const session = city.session();
    await session.send(flow("tf-1", 0) + flow("tf-2", 0));
    const owner = { name: "owner-1", agency: "mobility" };
    await city.session(owner).birth(["tf-1"]);
    await session.birth(["tf-2"]);
    await poll(() => city.account().on_its_way.waiting === 0, { interval: 5 });
    expect(await city.settled()).toMatchObject({ stored: 1, refused_by_reason: { "sensor-owned": 1 } });
    city.registry.change([{ agency: "mobility", sensor: "tf-2" }], (record) => retire(record!, Date.now()));
    await sleep(20);
    await session.send(flow("tf-2", 1));
    expect(await city.settled()).toMatchObject({
      refused_by_reason: { "sensor-owned": 1, "sensor-retired": 1 },
    });
  });
});

describe("waiting too long", () => {
  test("makes dead letters of readings, told and counted; younger ones go on waiting, and a replay still stores them", async () => {
    let now = Date.now();
    await using city = await openCity({ now: () => now, limits: { waiting_days: 3 } });
    const session = city.session();
    await session.send(flows("tf-1", 0, 7));
    now += 86_400_000 * 2;
    await session.send(flows("tf-1", 7, 10));
    now += 86_400_000 * 1.5;
    await city.restart();
    await poll(() => city.account().on_its_way.waiting === 3, { interval: 5 });
    expect(await city.settled()).toMatchObject({
      sent: 10,
      refused: 7,
      refused_by_reason: { "unknown-sensor": 7 },
    });
    expect((await poll(() => city.told.find(({ nack }) => nack)?.nack)).count).toBe(7);
    expect(city.ingest.totals()).toMatchObject({ refused: 7, waiting: 3 });
    const [letter] = await city.ingest.deadLetters({ limit: 10 });
    expect(letter).toMatchObject({ reason: "unknown-sensor", readings: 7, at: now });

    await city.session().birth(["tf-1"]);
    await poll(() => city.account().on_its_way.waiting === 0, { interval: 5 });
    expect(await city.ingest.replayDeadLetters({})).toEqual({ tried: 7, accepted: 7, refused: 0 });
    expect(await city.settled()).toMatchObject({ sent: 10, stored: 10, refused: 0 });
  });
});

test("a clock that jumps ahead makes no reading wait shorter", async () => {
  let jump = 0;
  await using city = await openCity({
    now: () => Date.now() + jump,
    steadyNow: () => performance.timeOrigin + performance.now(),
    limits: { waiting_days: 3, max_age_days: 1_000 },
  });
  const session = city.session();
  await session.send(flows("tf-1", 0, 7));
  jump = 86_400_000 * 30;
  await session.birth(["tf-2"]); // its waiting readings are looked through
  await session.send(flows("tf-2", 0, 3));
  expect(await city.settled()).toMatchObject({ stored: 3, refused: 0, on_its_way: { waiting: 7 } });
  await session.birth(["tf-1", "tf-2"]);
  await poll(() => city.account().on_its_way.waiting === 0, { interval: 5 });
  expect(await city.settled()).toMatchObject({ sent: 10, stored: 10, refused: 0 });
});

describe("a full waiting room", () => {
  const limits = { waiting_bytes_per_gateway: 4_000 };

  test("holds the messages it has no room for, takes others, and goes on after a birth", async () => {
    await using city = await openCity({ limits });
    const session = city.session();
    await session.birth(["tf-0"]);
    const sending = Array.from({ length: 10 }, (_, i) =>
      session.send(flows("tf-1", i * 10, i * 10 + 10) + flow("tf-0", i)),
    );
    await poll(() => session.held > 0, { interval: 5 });
    const account = await city.settled();
    const kept = account.on_its_way.waiting / 10;
    expect(kept).toBeGreaterThan(0);
    expect(account).toMatchObject({ sent: kept * 11, stored: kept }); // nothing of a held message was taken
    await city.session().send(flow("tf-0", 100)); // another connection of the same gateway
    await city.session({ name: "other-1", agency: "mobility" }).send(flow("tf-9", 0));
    await session.birth(["tf-1"]);
    await Promise.all(sending);
    expect(await city.settled()).toMatchObject({ sent: 111, stored: 111, on_its_way: { waiting: 0 } });
    expect(session.held).toBe(0);
  });

  test("is bounded over all gateways together, and those held for others go on when there is room", async () => {
    await using city = await openCity({ limits: { waiting_bytes: 3_000 } });
    const first = city.session({ name: "first-1", agency: "mobility" });
    const second = city.session({ name: "second-1", agency: "mobility" });
    await first.send(flows("a-1", 0, 40));
    const sending = second.send(flows("b-1", 0, 40));
    await sleep(20);
    expect(second.held).toBe(1);
    await first.birth(["a-1"]);
    await sending;
    expect(await city.settled("second-1")).toMatchObject({ sent: 40, on_its_way: { waiting: 40 } });
    expect(await city.settled("first-1")).toMatchObject({ sent: 40, stored: 40 });
  });

  test("remembers over a restart how full it is", async () => {
    await using city = await openCity({ limits });
    await city.session().send(flows("tf-1", 0, 40));
    await city.restart();
    const session = city.session();
    const sending = session.send(flows("tf-1", 40, 80));
    await sleep(20);
    expect(session.held).toBe(1);
    await session.birth(["tf-1"]);
    await sending;
    expect(await city.settled()).toMatchObject({ sent: 80, stored: 80 });
  });

  test("lets go of connections that have ended", async () => {
    await using city = await openCity({ limits });
    const session = city.session();
    await session.send(flows("tf-1", 0, 40));
    for (let i = 0; i < 5; i += 1) {
      const dying = city.session();
      void dying.send(flows("tf-1", 40, 80));
      dying.end();
    }
    await session.birth(["tf-1"]);
    await poll(() => city.account().stored === 40, { interval: 5 });
    expect(await city.settled()).toMatchObject({ sent: 40, stored: 40 });
  });
});
