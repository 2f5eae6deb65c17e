import { randomUUID } from "node:crypto";
import { copyFile, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { formatBatchHeader } from "#telemetry/batch-header.ts";
import { connectGateway } from "../../support/mqtt-gateway.ts";
import { admitGateway, dataFolder, startPlatform } from "../../support/platform.ts";
import { poll } from "../../support/poll.ts";
import { storedRows } from "../../support/stored-rows.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { runMarsad } from "../cli/run-marsad.ts";
import { agency, startCity } from "./city.ts";
import { expectBalance, settle, untilAcknowledged } from "./support.ts";
import { expectKept } from "./verdict.ts";

const parkingExample = join(import.meta.dirname, "..", "..", "..", "catalogue.d", "parking.yaml.example");

test("new gateways' unknown sensors under load: readings wait, a birth is asked for, a full quota withholds PUBACKs, kill -9 loses none, and after the birth all is stored in order", async ({
  annotate,
}) => {
  using folder = tempFolder("unknown");
  const data = dataFolder(folder.path);
  const introduction = Promise.withResolvers<void>();
  const mayIntroduce = introduction.promise;
  await using city = await startCity({
    folder: folder.path,
    gateways: ["numbered", "plain"],
    others: {
      "new-numbered": { outbox: randomUUID(), mayIntroduce },
      // What it sends first is wrong and corrected later: only in order do the right values stay.
      "new-drafts": { mayIntroduce, drafts: true },
    },
  });
  const args = ["--waiting-bytes-per-gateway", "60000"];
  const news = ["new-numbered", "new-drafts"].map((name) => ({ name, load: city.loads.get(name)!.load }));
  const known = {
    loads: new Map(Array.from(city.loads).filter(([name]) => !name.startsWith("new-"))),
    get platform() {
      return city.platform;
    },
  };
  /** Both have more to send, and get no PUBACK. */
  const isHeld = async (): Promise<boolean> => {
    const before = news.map(({ load }) => load.acknowledged.size);
    await sleep(500);
    return news.every(
      ({ load }, i) => load.acknowledged.size === before[i] && load.offered > load.acknowledged.size,
    );
  };
  {
    await using platform = await startPlatform({ folder: folder.path, args });
    city.platform = platform;
    await untilAcknowledged(city, 5);
    await poll(isHeld);
    for (const { name, load } of news) {
      expect(load.rebirths).toBeGreaterThan(0);
      expect(await platform.account(name)).toMatchObject({ stored: 0, refused: 0, balanced: true });
    }
    await untilAcknowledged(known, 20); // others do not wait for them
    await expectBalance(platform);
    city.platform = undefined;
    await platform.end("SIGKILL");
  }
  await using platform = await startPlatform({ folder: folder.path, args });
  city.platform = platform;
  await untilAcknowledged(known, 20);
  await poll(isHeld);
  introduction.resolve();
  await untilAcknowledged(city, 20);
  await settle(city, platform, ({ on_its_way }) => on_its_way.waiting === 0);
  await expectBalance(platform);
  expect(await platform.end("SIGTERM")).toBe(0);
  const stored = await storedRows(data, "traffic_flow");
  await expectKept(
    annotate,
    { fault: "unknown sensors of new gateways", tried: news.length },
    stored,
    city.loads,
  );
});

test("a catalogue that changes under load, and an outbox that lost numbers: nothing else is disturbed, what was refused can be stored, and the gap has its name", async ({
  annotate,
}) => {
  using folder = tempFolder("catalogue");
  const data = dataFolder(folder.path);
  const identity = { name: "garage", agency };
  const password = await admitGateway(data, identity);
  await using city = await startCity({ folder: folder.path });
  await using platform = await startPlatform({ folder: folder.path });
  city.platform = platform;
  await untilAcknowledged(city, 20);

  await using gateway = await connectGateway({ identity, password, port: platform.mqttPort });
  await gateway.birth(["pk-1"]);
  const outbox = randomUUID();
  const start = Date.now() - 3_600_000;
  const lines = (from: number, to: number): string =>
    Array.from(
      { length: to - from },
      (_, i) => `parking,sensor=pk-1 occupied=${from + i} ${start + (from + i) * 1000}\n`,
    ).join("");
  const send = (from: number, to: number): Promise<void> =>
    gateway.send(formatBatchHeader({ outbox, first: from, n: to - from }) + lines(from, to));

  await send(0, 100);
  expect(await platform.account("garage")).toMatchObject({ refused: 100, balanced: true });
  await mkdir(join(data, "catalogue.d"), { recursive: true });
  await copyFile(parkingExample, join(data, "catalogue.d", "parking.yaml"));
  process.kill(platform.pid, "SIGHUP");
  await poll(() => /The catalogue has new measurements/.test(platform.log()));
  await untilAcknowledged(city, 20);
  await send(100, 200);
  await send(250, 300); // the outbox has lost 50 in the middle
  await send(301, 400);
  const { code } = await runMarsad([
    "deadletters",
    "replay",
    "--gateway",
    "garage",
    "--http",
    platform.ready.http,
  ]);
  expect(code).toBe(0);
  const stored = 100 + 100 + 50 + 99;
  const account = await platform.settled("garage", (ledger) => ledger.stored === stored);
  expect(account).toMatchObject({ sent: 400, refused: 0, balanced: true, on_its_way: { missing: 51 } });

  const text = await runMarsad(["account", "--http", platform.ready.http]);
  expect(text.code).toBe(0);
  expect(text.stdout).toContain(`garage: missing 200 to 249 of outbox ${outbox}\n`);
  expect(text.stdout).toContain(`garage: missing 300 of outbox ${outbox}\n`);
  const json = await runMarsad(["account", "garage", "--json", "--http", platform.ready.http]);
  expect(JSON.parse(json.stdout)).toMatchObject({
    balanced: true,
    gateways: [
      {
        gateway: "garage",
        missing: [
          { outbox, from: 200, to: 250 },
          { outbox, from: 300, to: 301 },
        ],
      },
    ],
  });
  // What was lost on the way comes after all: the gap is closed, row by row.
  await send(200, 250);
  await send(300, 301);
  expect(await platform.settled("garage", (ledger) => ledger.stored === 400)).toMatchObject({
    on_its_way: { missing: 0 },
    missing: [],
  });

  await settle(city, platform);
  await expectBalance(platform);
  expect(await platform.end("SIGTERM")).toBe(0);
  const parking = await storedRows(data, "parking");
  expect(parking.rows.map(({ time, fields }) => [(time - start) / 1000, fields["occupied"]])).toEqual(
    Array.from({ length: 400 }, (_, i) => [i, i]),
  );
  const traffic = await storedRows(data, "traffic_flow");
  const others = { ...traffic, count: traffic.count - parking.rows.length };
  await expectKept(
    annotate,
    { fault: "catalogue change, and a gap in an outbox", tried: 1 },
    others,
    city.loads,
  );
});
