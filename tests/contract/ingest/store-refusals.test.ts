import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { MarsadError } from "#runtime/errors.ts";
import { builtinCatalogue } from "#telemetry/builtin-catalogue.ts";
import { type Catalogue, type FieldType, makeCatalogue } from "#telemetry/catalogue.ts";
import type { Store } from "#store/port.ts";
import { poll } from "../../support/poll.ts";
import { storeOver } from "../../support/store-over.ts";
import { type City, type CityOptions, corniche, openCity, start } from "./support.ts";

/** A measurement of the city's own, whose field changes its type. */
function catalogueWith(type: FieldType): Catalogue {
  const title = { en: "valve", ar: "صمام" };
  const range: [number | null, number | null] = [null, null];
  const field = {
    name: "turns",
    type,
    kind: "gauge" as const,
    unit: "1",
    physical: range,
    plausible: range,
    title,
  };
  const measurement = {
    name: "valve",
    domain: "water",
    title,
    period_s: 60,
    seasons: [],
    bad: "none" as const,
  };
  return makeCatalogue([...builtinCatalogue.measurements, { ...measurement, fields: [field] }]);
}

const turns = (second: number, value: number): string =>
  `valve,sensor=v-1 turns=${value} ${start + second * 1_000}\n`;

/** A city whose store keeps `turns` as integer, and whose catalogue then says float. */
async function openChangedCity(
  options: Omit<CityOptions, "catalogue">,
): Promise<City & { become(type: FieldType): void }> {
  let type: FieldType = "integer";
  const given = { ...options };
  Object.defineProperty(given, "catalogue", { get: () => catalogueWith(type), enumerable: true });
  const city = await openCity(given);
  const session = city.session();
  await session.birth(["v-1"]);
  await session.send(turns(0, 1));
  await city.settled();
  type = "float";
  await city.restart();
  return Object.assign(Object.create(city) as City, {
    become: (next: FieldType) => void (type = next),
    [Symbol.asyncDispose]: () => city[Symbol.asyncDispose](),
  });
}

test("readings that the store refuses become dead letters with its words, are told, and can be replayed once it can take them", async () => {
  await using city = await openChangedCity({});
  await city.session().send(turns(1, 2) + turns(2, 2.5) + turns(3, 3.5));
  expect(await city.settled()).toMatchObject({
    sent: 4,
    stored: 2,
    refused: 2,
    refused_by_reason: { "store-refused": 2 },
  });
  const [letter] = await city.ingest.deadLetters({ limit: 10 });
  expect(letter).toMatchObject({
    gateway: corniche.name,
    reason: "store-refused",
    channel: "lp",
    readings: 2,
  });
  expect(letter!.detail).toContain("valve.turns is kept as integer");
  expect(Buffer.from(letter!.payload!).toString()).toBe((turns(2, 2.5) + turns(3, 3.5)).trimEnd());
  expect(city.ingest.totals()).toMatchObject({ refused: 2 });

  // Nothing has changed: the store refuses them again, and nothing is counted twice.
  await city.ingest.replayDeadLetters({});
  expect(await city.settled()).toMatchObject({ sent: 4, stored: 2, refused: 2 });
  expect(await city.ingest.deadLetters({ limit: 10 })).toHaveLength(1);
  await untilForgotten(city);
  expect(await city.stored("valve")).toHaveLength(2);
  await city.ingest[Symbol.asyncDispose](); // tells what is untold
  const nacks = city.told.flatMap(({ nack }) => nack?.rejections ?? []);
  expect(nacks[0]).toMatchObject({ reason: "store-refused", excerpt: turns(2, 2.5).trimEnd() });
});

test("while a backup holds the journal, refusals wait: its copy never has those of blocks that the store's copy may lack", async () => {
  await using city = await openChangedCity({});
  const hold = await city.ingest.holdJournal();
  const position = await city.store.position(city.ingest.journal);
  await city.session().send(turns(1, 2) + turns(2, 2.5));
  await poll(async () => (await city.store.position(city.ingest.journal)) > position);
  await sleep(50);
  expect(city.account()).toMatchObject({ refused: 0, balanced: true, on_its_way: { journal: 2 } });
  await hold[Symbol.asyncDispose]();
  expect(await city.settled()).toMatchObject({ stored: 2, refused: 1 });
  // Held again and closed: the next start takes them from the store.
  await city.ingest.holdJournal();
  await city.session().send(turns(3, 3.5));
  await poll(async () => (await city.store.refusals(city.ingest.journal)).length === 1);
  await city.restart();
  expect(await city.settled()).toMatchObject({ stored: 2, refused: 2 });
});

/** The real store behind crashes: of the write's answer, and of the forgetting. */
class Crashing {
  answers = true;
  forgets = true;

  readonly wrap = (store: Store): Store =>
    storeOver(store, {
      position: async (journal) => {
        if (!this.answers) throw new MarsadError("STORE_UNAVAILABLE", "the test says no");
        return await store.position(journal);
      },
      write: async (batch) => {
        const outcome = await store.write(batch);
        if (!this.answers) throw new MarsadError("STORE_UNAVAILABLE", "the test says no");
        return outcome;
      },
      forgetRefusals: async (journal, before) => {
        if (this.forgets) await store.forgetRefusals(journal, before);
      },
    });
}

test("a crash between the journal's commit and the store's forgetting: refusals are not taken twice", async () => {
  const crashing = new Crashing();
  await using city = await openChangedCity({ wrap: crashing.wrap });
  crashing.forgets = false;
  await city.session().send(turns(1, 2.5));
  await city.settled();
  for (const round of [1, 2]) {
    // The journal knows already what the store still keeps.
    await city.restart();
    expect(await city.settled()).toMatchObject({ sent: 2, stored: 1, refused: 1 });
    expect(await city.ingest.deadLetters({ limit: 10 })).toHaveLength(1);
    if (round === 2) crashing.forgets = true;
  }
  await city.session().send(turns(2, 3.5));
  await untilForgotten(city);
});

test("a crash between the store's commit and the journal's: the refusals are dead letters before anybody asks, once", async () => {
  const crashing = new Crashing();
  await using city = await openChangedCity({ wrap: crashing.wrap });
  crashing.answers = false;
  await city.session().send(turns(1, 2.5) + turns(2, 2));
  await poll(async () => (await city.store.refusals(city.ingest.journal)).length === 1, { interval: 5 });
  await city.restart(() => {
    crashing.answers = true;
  });
  expect(city.account()).toMatchObject({ sent: 3, stored: 2, refused: 1, balanced: true });
  await untilForgotten(city);
  expect(await city.ingest.deadLetters({ limit: 10 })).toMatchObject([
    { reason: "store-refused", readings: 1 },
  ]);
  await city.restart();
  expect(await city.settled()).toMatchObject({ sent: 3, stored: 2, refused: 1 });
  expect(await city.ingest.deadLetters({ limit: 10 })).toHaveLength(1);
});

test("a write whose answer is lost, with refusals in it: the next answer brings them", async () => {
  const crashing = new Crashing();
  await using city = await openChangedCity({ wrap: crashing.wrap });
  crashing.answers = false;
  await city.session().send(turns(1, 2.5) + turns(2, 2));
  await poll(async () => (await city.store.refusals(city.ingest.journal)).length === 1, { interval: 5 });
  expect(city.account()).toMatchObject({ on_its_way: { journal: 2 }, balanced: true });
  crashing.answers = true;
  expect(await city.settled()).toMatchObject({ sent: 3, stored: 2, refused: 1 });
  await untilForgotten(city);
});

async function untilForgotten(city: City): Promise<void> {
  await poll(async () => (await city.store.refusals(city.ingest.journal)).length === 0, { interval: 5 });
}
