import { type Edge, committedReadings, startEdge } from "./edge.ts";
import { type Platform, admitGateway, dataFolder, startPlatform } from "./platform.ts";
import type { SteadyReadings } from "./steady-readings.ts";
import { storedRows } from "./stored-rows.ts";
import { type TcpProxy, openTcpProxy } from "./tcp-proxy.ts";
import { UplinkTap } from "./uplink-tap.ts";

const agency = "mobility";
const name = "corniche-1";

/** A platform, and a link to it that can be made bad and is watched: what an agent needs. */
export interface LinkedCity extends AsyncDisposable {
  readonly platform: Platform;
  readonly proxy: TcpProxy;
  readonly tap: UplinkTap;
  /** The same agent each time: its outbox stays. */
  startAgent(settings?: object): Promise<Edge>;
  /** Readings that its outbox ever committed, as the disk has it while no agent runs. */
  committed(): number;
  /**
   * Waits until the platform has the first `count` readings that the outbox ever numbered, ends it, and compares its
   * store with them, row by row. @param count  The numbers of `readings` that the agent took, without gaps.
   */
  verdict(
    count: number,
  ): Promise<{ readonly lost: number; readonly twice: number; readonly stored: ReadonlySet<number> }>;
}

/** @param options.data  Where the agent's outbox is; else below `folder` as well. */
export async function openLinkedCity(folder: string, readings: SteadyReadings): Promise<LinkedCity> {
  await using opening = new AsyncDisposableStack();
  const password = await admitGateway(dataFolder(folder), { name, agency });
  const platform = opening.use(await startPlatform({ folder }));
  const tap = new UplinkTap();
  const proxy = opening.use(await openTcpProxy(platform.mqttPort, tap));
  const resources = opening.move();
  return {
    platform,
    proxy,
    tap,
    startAgent: (settings = {}) =>
      startEdge({
        folder,
        gateway: name,
        agency,
        password,
        mqttPort: proxy.port,
        sensors: readings.sensors,
        settings,
      }),
    committed: () => committedReadings(folder, name),
    async verdict(count) {
      await platform.settled(
        name,
        ({ sent, duplicate, refused, on_its_way: way }) =>
          sent - duplicate >= count && refused + way.waiting + way.missing === 0,
      );
      await platform.end("SIGTERM");
      const { rows } = await storedRows(dataFolder(folder), "traffic_flow");
      const stored = new Set(rows.map((row) => readings.numberOf(row)));
      return { lost: count - stored.size, twice: rows.length - stored.size, stored };
    },
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}
