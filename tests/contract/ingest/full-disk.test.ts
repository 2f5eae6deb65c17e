import { writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { poll } from "../../support/poll.ts";
import { canMount, smallDisk } from "../../support/small-disk.ts";
import { flows, openCity, storedFlows } from "./support.ts";

test.skipIf(!canMount())(
  "on a full disk of the journal PUBACKs wait; with room again all is taken, and nothing acknowledged is lost (mounts a disk: root only)",
  async () => {
    using disk = smallDisk("ingest", 2);
    await using city = await openCity({
      journal: join(disk.path, "journal"),
      limits: { group_bytes: 50_000 },
    });
    const session = city.session();
    await session.birth(["tf-1"]);
    await session.send(flows("tf-1", 0, 100));
    await city.settled();
    fill(join(disk.path, "other"));

    const sending = Array.from({ length: 40 }, (_, i) =>
      session.send(flows("tf-1", (i + 1) * 100, (i + 2) * 100) + "broken\n" + flows("tf-9", i, i + 1)),
    );
    await poll(() => city.ingest.trouble().journal, { interval: 20 });
    const acknowledged = session.acknowledgedMessages;
    expect(acknowledged).toBeLessThan(41);
    expect(session.held).toBeGreaterThan(0);
    await sleep(1_500);
    expect(session.acknowledgedMessages).toBe(acknowledged);
    expect(city.account().balanced).toBe(true);

    await rm(join(disk.path, "other"));
    await Promise.all(sending);
    const account = await city.settled();
    expect(account).toMatchObject({ sent: 4_180, stored: 4_100, refused: 40, on_its_way: { waiting: 40 } });
    expect(await city.ingest.deadLetters({ limit: 100 })).toHaveLength(40);
    await city.restart();
    expect(city.account()).toEqual(account);
    expect(await city.stored()).toEqual(storedFlows("tf-1", 0, 4_100));
  },
);

test.skipIf(!canMount())(
  "on a full disk of the store readings are acknowledged and wait in the journal; with room again all are stored once (mounts a disk: root only)",
  async () => {
    using disk = smallDisk("ingest-store", 24);
    await using city = await openCity({ storeFolder: join(disk.path, "store") });
    const session = city.session();
    await session.birth(["tf-1"]);
    await session.send(flows("tf-1", 0, 100));
    await city.settled();
    fill(join(disk.path, "other"));
    let second = 100;
    while (city.ingest.trouble().store === undefined) {
      await session.send(flows("tf-1", second, second + 1_000));
      second += 1_000;
    }
    await session.send(flows("tf-1", 0, 200)); // again
    expect(city.account()).toMatchObject({ sent: second + 200, balanced: true });
    await rm(join(disk.path, "other"));
    expect(await city.settled()).toMatchObject({ stored: second, duplicate: 200, refused: 0 });
    expect(await city.stored()).toHaveLength(second);
  },
);

/** Writes until the disk takes no more. */
function fill(file: string): void {
  for (let bytes = 65_536; bytes >= 1; bytes /= 16) {
    try {
      for (;;) writeFileSync(file, Buffer.alloc(bytes), { flag: "a" });
    } catch {
      // Smaller pieces may still fit.
    }
  }
}
