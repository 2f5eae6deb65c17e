import { rmSync, writeSync, openSync, closeSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { connectGateway } from "../../support/mqtt-gateway.ts";
import { admitGateway, dataFolder, type Platform, startPlatform } from "../../support/platform.ts";
import { poll } from "../../support/poll.ts";
import { mountSmallDisk, needsMount } from "../../support/small-disk.ts";
import { kills } from "../../support/soak.ts";
import { storedRows } from "../../support/stored-rows.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { agency, type City, p95, startCity } from "./city.ts";
import { expectBalance, settle, untilAcknowledged } from "./support.ts";
import { expectKept } from "./verdict.ts";

const MiB = 1024 * 1024;
/** Each fills all three disks. */
const rounds = Math.ceil(kills / 2);
/** That a newcomer has more of each time. */
const sensors = 500;
const parts = ["journal", "store", "registry"] as const;
type PartName = (typeof parts)[number];
/** Little; the store's has to hold what a soak stores. */
const diskBytes: Readonly<Record<PartName, number>> = {
  journal: 12 * MiB,
  store: 64 * MiB,
  registry: 32 * MiB,
};

/** Small disks, each of which another program's file can fill. */
class Disks implements AsyncDisposable {
  readonly #data: string;
  readonly #mounted = new AsyncDisposableStack();

  constructor(data: string) {
    this.#data = data;
  }

  /** @returns false where that is not allowed. */
  async mount(): Promise<boolean> {
    for (const part of parts) {
      await mkdir(join(this.#data, part), { recursive: true });
      const disk = await mountSmallDisk(join(this.#data, part), diskBytes[part]);
      if (disk === undefined) return false;
      this.#mounted.use(disk);
    }
    return true;
  }

  fill(part: PartName): void {
    const file = openSync(this.#filler(part), "a");
    for (let bytes = MiB; bytes >= 1; bytes /= 16) {
      try {
        for (;;) writeSync(file, Buffer.alloc(bytes));
      } catch {
        // smaller pieces may still fit
      }
    }
    closeSync(file);
  }

  empty(part: PartName): void {
    rmSync(this.#filler(part));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#mounted.disposeAsync();
  }

  #filler(part: PartName): string {
    return join(this.#data, part, "filler");
  }
}

/** Waits until `/readyz` names exactly these parts as ailing, each for its disk. */
async function untilAiling(platform: Platform, ...names: PartName[]): Promise<void> {
  await poll(async () => {
    const ailing = (await platform.health()).parts.filter(({ ok }) => !ok);
    return (
      ailing.map(({ name }) => name).join() === names.toSorted().join() &&
      ailing.every(({ why }) => /full|no room|no space/i.test(why ?? ""))
    );
  });
}

/** Milliseconds until it is so. */
async function timed(until: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await until();
  return performance.now() - begun;
}

const acknowledged = ({ loads }: City): number =>
  Array.from(loads.values()).reduce((sum, { load }) => sum + load.acknowledged.size, 0);

test(`disks full under load, ${rounds} x: readings are acknowledged as long as the journal has room, /readyz names each disk, and all goes on in less than 5 s when there is room`, async ({
  annotate,
  skip,
}) => {
  using folder = tempFolder("full-disk");
  const data = dataFolder(folder.path);
  await using disks = new Disks(data);
  skip(!(await disks.mount()), needsMount);
  await using city = await startCity({ folder: folder.path });
  const newcomer = { name: "newcomer", agency };
  const password = await admitGateway(data, newcomer);
  await using platform = await startPlatform({ folder: folder.path });
  city.platform = platform;
  const resumed = { journal: [] as number[], store: [] as number[], registry: [] as number[] };

  for (let round = 0; round < rounds; round += 1) {
    await untilAcknowledged(city, 20);
    disks.fill("store");
    await untilAiling(platform, "store");
    await untilAcknowledged(city, 20); // into the journal
    disks.fill("journal");
    await untilAiling(platform, "journal", "store");
    const before = acknowledged(city);
    await sleep(500);
    // What was under way when the disk was full is all that can come.
    expect(acknowledged(city)).toBe(before);
    await expectBalance(platform);

    disks.empty("journal");
    resumed.journal.push(await timed(() => poll(() => acknowledged(city) > before, { interval: 20 })));
    await untilAiling(platform, "store");
    disks.empty("store");
    resumed.store.push(
      await timed(() => poll(async () => (await platform.health()).ready, { interval: 20 })),
    );
  }

  for (let round = 0; round < rounds; round += 1) {
    disks.fill("registry");
    await using gateway = await connectGateway({ identity: newcomer, password, port: platform.mqttPort });
    const birth = gateway.birth(Array.from({ length: sensors }, (_, i) => `newcomer.${round}.${i}`));
    await untilAiling(platform, "registry");
    await untilAcknowledged(city, 20); // those that are known
    disks.empty("registry");
    resumed.registry.push(await timed(() => birth));
    expect((await platform.health()).ready).toBe(true);
  }

  await settle(city, platform);
  await expectBalance(platform);
  expect(await platform.account("newcomer")).toMatchObject({ sensors: sensors * rounds });
  expect(await platform.end("SIGTERM")).toBe(0);
  const measured = Object.fromEntries(parts.map((part) => [`${part} resumed, p95 ms`, p95(resumed[part])]));
  const fault = "disk full under store, journal and registry";
  const stored = await storedRows(data, "traffic_flow");
  await expectKept(annotate, { fault, tried: 3 * rounds, measured }, stored, city.loads);
  for (const took of Object.values(resumed).flat()) expect(took).toBeLessThan(5_000);
});
