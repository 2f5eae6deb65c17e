import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { requireDebian, whySkipped } from "../../support/debian.ts";
import { type Edge, startEdge } from "../../support/edge.ts";
import { reportFault } from "../../support/fault-report.ts";
import { type Influxd, startInfluxd } from "../../support/influxd.ts";
import { type LineLoad, startLines } from "../../support/line-load.ts";
import { MemoryWatch } from "../../support/memory.ts";
import { admitGateway, dataFolder, startPlatform } from "../../support/platform.ts";
import { poll } from "../../support/poll.ts";
import { outageSeconds } from "../../support/soak.ts";
import { SteadyReadings } from "../../support/steady-readings.ts";
import { openTcpProxy } from "../../support/tcp-proxy.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { sum } from "./scene.ts";
import { expectBalance } from "./support.ts";

const agency = "mobility";
/** Of each of the two gateways. */
const readingsPerSecond = 1000;
/** Load before and after the outage, milliseconds. */
const steady_ms = 4000;
const MiB = 1024 * 1024;
const database = "marsad";

interface Gateway extends AsyncDisposable {
  readonly name: string;
  readonly readings: SteadyReadings;
  readonly edge: Edge;
  readonly lines: LineLoad;
}

async function startGateway(folder: string, name: string, mqttPort: number): Promise<Gateway> {
  const password = await admitGateway(dataFolder(folder), { name, agency });
  const readings = new SteadyReadings(name, Date.now() - 3_600_000);
  await using stack = new AsyncDisposableStack();
  const sensors = readings.sensors;
  const edge = stack.use(await startEdge({ folder, gateway: name, agency, password, mqttPort, sensors }));
  const lines = stack.use(startLines({ readings, rate: readingsPerSecond, input: () => edge.input }));
  const all = stack.move();
  return { name, readings, edge, lines, [Symbol.asyncDispose]: () => all.disposeAsync() };
}

interface Stored {
  readonly lost: number;
  readonly twice: number;
  /** Rows that no line ever written can have made. */
  readonly invented: number;
}

/** What influxd itself has of a gateway, asked without any code of the platform's, row by row. */
async function storedOf(influxd: Influxd, { readings, lines }: Gateway): Promise<Stored> {
  const numbers = new Set<number>();
  let [twice, invented] = [0, 0];
  for (const sensor of readings.sensors) {
    const query = `SELECT time, vehicles, speed_avg FROM traffic_flow WHERE sensor = '${sensor}'`;
    for (const [time, vehicles, speed_avg] of (await influxd.query(query, database))[0]?.values ?? []) {
      const row = {
        agency,
        sensor,
        time: Number(time),
        fields: { vehicles: vehicles!, speed_avg: speed_avg! },
      };
      const number = readings.numberOf(row); // throws for what is invented
      if (number >= lines.written) invented += 1;
      else if (numbers.has(number)) twice += 1;
      else numbers.add(number);
    }
  }
  return { lost: lines.written - numbers.size, twice, invented };
}

test(
  `${outageSeconds} s without influxd, and without the link of a gateway, lose nothing and double nothing`,
  { timeout: (outageSeconds * 3 + 180) * 1000 },
  async ({ annotate, skip }) => {
    skip(!(await requireDebian("influxdb")), whySkipped("influxdb"));
    using folder = tempFolder("outage");
    await using influxd = await startInfluxd({ folder: folder.path });
    await using platform = await startPlatform({
      folder: folder.path,
      args: ["--store", "influxdb", "--influx-url", influxd.url, "--influx-db", database],
    });
    await using link = await openTcpProxy(platform.mqttPort);
    await using near = await startGateway(folder.path, "near", platform.mqttPort);
    await using far = await startGateway(folder.path, "far", link.port);
    const gateways = [near, far];
    await sleep(steady_ms);
    for (const { name } of gateways) await platform.settled(name, ({ stored }) => stored > 0);
    using memory = new MemoryWatch({
      platform: platform.pid,
      "agent with its link": near.edge.pid,
      "agent without": far.edge.pid,
    });

    await influxd.end("SIGKILL");
    link.closed = true;
    link.cut();
    const begun = performance.now();
    const before = gateways.map(({ lines }) => lines.written);
    while (performance.now() - begun < outageSeconds * 1000) {
      await sleep(1000);
      expect((await platform.accounts()).filter(({ balanced }) => !balanced)).toEqual([]);
    }
    expect(await platform.health()).toMatchObject({ ready: false });
    await expectBalance(platform);
    const { on_its_way } = await platform.account("near");
    // Senders were never made to wait: what was due meanwhile was written, taken and acknowledged.
    for (const [i, { lines }] of gateways.entries())
      expect(lines.written - before[i]!).toBeGreaterThan(0.5 * readingsPerSecond * outageSeconds);
    expect(on_its_way.journal).toBeGreaterThan(0.5 * readingsPerSecond * outageSeconds);
    const samples = memory.samples;

    await influxd.start();
    link.closed = false;
    const back = performance.now();
    await sleep(steady_ms);
    for (const { lines } of gateways) await lines[Symbol.asyncDispose]();
    for (const { name, lines } of gateways) {
      const account = await poll(
        async () => {
          const ledger = await platform.account(name);
          expect(ledger).toMatchObject({ balanced: true });
          return ledger.stored >= lines.written && ledger.on_its_way.journal === 0 && ledger;
        },
        { timeout: (outageSeconds + 60) * 1000, interval: 250 },
      );
      expect(account).toMatchObject({ refused: 0, on_its_way: { waiting: 0, missing: 0 } });
    }
    const recovery_s = (performance.now() - back) / 1000;
    await expectBalance(platform);
    const found: Stored[] = [];
    for (const gateway of gateways) found.push(await storedOf(influxd, gateway));
    const readings = sum(gateways, ({ lines }) => lines.written);
    const [lost, twice] = [sum(found, (one) => one.lost), sum(found, (one) => one.twice)];
    await reportFault(annotate, {
      fault: `influxd killed and away, and a gateway without its link, ${outageSeconds} s`,
      tried: 1,
      sent: readings,
      acknowledged: readings,
      lost,
      twice,
      measured: { "all stored after the return, s": Math.round(10 * recovery_s) / 10 },
    });
    expect(found).toEqual(gateways.map(() => ({ lost: 0, twice: 0, invented: 0 })));

    const figures = ["platform", "agent with its link", "agent without"].map((name) => {
      const [steady, outage, all] = [
        memory.highest(name, 0, 1),
        memory.highest(name, 0, samples),
        memory.highest(name),
      ];
      // Queues live on disk: what waits longer takes no more memory. V8 may grow its heap once.
      expect(outage, `${name} during the outage`).toBeLessThan(2 * steady + 150 * MiB);
      return `${name} ${inMiB(steady)} before, ${inMiB(outage)} at most without, ${inMiB(all)} in all`;
    });
    await annotate(`Memory (RssAnon): ${figures.join("; ")}`);
  },
);

function inMiB(bytes: number): string {
  return `${Math.round(bytes / MiB)} MiB`;
}
