import { join } from "node:path";
import { expect, test } from "vitest";
import { requireDebian, whySkipped } from "../../support/debian.ts";
import { startInfluxd } from "../../support/influxd.ts";
import { readingsPerBatch, startLoad } from "../../support/mqtt-load.ts";
import { admitGateway, dataFolder, startPlatform } from "../../support/platform.ts";
import { poll } from "../../support/poll.ts";
import { SteadyReadings } from "../../support/steady-readings.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { runMarsad } from "../cli/run-marsad.ts";

test("with InfluxDB the folder is backed up under load; restored beside an InfluxDB that has more, nothing is lost or stored twice", async (context) => {
  if (!(await requireDebian("influxdb"))) {
    context.skip(whySkipped("influxdb"));
    return;
  }
  using folder = tempFolder("backup");
  using elsewhere = tempFolder("restored");
  const identity = { name: "corniche-1", agency: "mobility" };
  const password = await admitGateway(dataFolder(folder.path), identity);
  await using influxd = await startInfluxd({ folder: folder.path });
  const args = ["--store", "influxdb", "--influx-url", influxd.url, "--influx-db", "marsad"];
  const rows = async (): Promise<number> => {
    const [series] = await influxd.query("SELECT count(vehicles) FROM traffic_flow", "marsad");
    return Number(series?.values[0]?.[1] ?? 0);
  };
  const readings = new SteadyReadings("s", Date.now() - 3_600_000);
  await using platform = await startPlatform({ folder: folder.path, args });
  let port: number | undefined = platform.mqttPort;
  const way = { identity, password, readings, rate: 2000, port: () => port };
  await using load = startLoad({ ...way, outbox: "7e3ad1cb-0f0f-4a3f-8d05-5f7c7a4cbb52" });
  await poll(() => load.acknowledged.size >= 60);

  const backup = join(folder.path, "backup");
  const made = await runMarsad(["backup", backup, "--data", dataFolder(folder.path), "--json"]);
  expect(made).toMatchObject({ code: 0, stderr: "" });
  expect(JSON.parse(made.stdout)).toMatchObject({ store: { kind: "influxdb", position: null, rows: null } });
  const goal = load.acknowledged.size + 40;
  await poll(() => load.acknowledged.size >= goal);
  port = undefined;
  // What comes after the last look and dies with the folder would be nobody's.
  await load.drain();
  await platform.settled(identity.name);
  await platform.end("SIGKILL");
  const before = await rows();

  const restored = await runMarsad(["restore", backup, "--data", dataFolder(elsewhere.path)]);
  expect(restored).toMatchObject({ code: 0, stdout: expect.stringContaining("readings are in InfluxDB") });
  await using again = await startPlatform({ folder: elsewhere.path, args });
  const account = await again.settled(identity.name);
  expect(account).toMatchObject({ balanced: true, refused: 0 });
  // Blocks of the journal that InfluxDB had already were written again, with the same keys.
  expect(await rows()).toBe(before);

  port = again.mqttPort;
  load.resume();
  await poll(() => load.acknowledged.size >= goal + 40);
  await load.drain();
  const { on_its_way: onItsWay } = await again.settled(identity.name);
  // The ledger knows no more of what came after the backup; InfluxDB has all of it.
  expect(onItsWay.missing).toBeGreaterThan(0);
  expect(await rows()).toBe(load.offered * readingsPerBatch);
  // A folder of one kind of store is opened with no other.
  expect(await again.end("SIGTERM")).toBe(0);
  await expect(startPlatform({ folder: elsewhere.path })).rejects.toThrow("--store influxdb");
});
