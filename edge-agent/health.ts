import { statfs } from "node:fs/promises";
import type { BirthSensor } from "#telemetry/birth.ts";
import { LineIntake } from "./line-intake.ts";
import type { LineStage } from "./line-stage.ts";
import type { Skew } from "./platform-clock.ts";
import type { Spool } from "./spool.ts";

/** A gateway is a sensor itself: its name is the id. */
export function gatewaySensor(gateway: string, place: string, periodSeconds: number): BirthSensor {
  return { id: gateway, place, role: "gateway", period_s: periodSeconds };
}

/** What a gateway reports on itself. */
export interface Health {
  /** Readings without a PUBACK. */
  readonly backlog: number;
  /** Readings that were sent more than once since the agent started. */
  readonly resent: number;
  /** Per cent of the data folder's disk. */
  readonly diskFree: number | undefined;
  /** Milliseconds that the gateway's clock is ahead of the platform's. */
  readonly skew: number | undefined;
  /** Polled devices that do not answer; undefined where none are polled. */
  readonly silent: number | undefined;
}

/** The gateway's own reading, a line of line protocol without time. */
export function healthLine(gateway: string, health: Health): string {
  const { backlog, resent, diskFree, skew, silent } = health;
  const clock = skew === undefined ? "" : `,clock_skew=${(skew / 1000).toFixed(3)}`;
  const disk = diskFree === undefined ? "" : `,disk_free=${diskFree.toFixed(2)}`;
  const devices = silent === undefined ? "" : `,silent_devices=${silent}`;
  return `gateway_health,sensor=${gateway} backlog=${backlog},resent=${resent}${clock}${disk}${devices}
`;
}

/** Per cent of `folder`'s disk that is free to us; undefined where the system does not tell. */
export async function diskFree(folder: string): Promise<number | undefined> {
  try {
    const { bavail, blocks } = await statfs(folder);
    return blocks === 0 ? undefined : (100 * bavail) / blocks;
  } catch {
    return undefined;
  }
}

export interface HealthOptions {
  readonly gateway: string;
  /** Whose disk is looked at. */
  readonly folder: string;
  readonly spool: Spool;
  readonly stage: LineStage;
  readonly counts: () => { readonly backlog: number; readonly resentReadings: number };
  readonly skew: () => Skew | undefined;
  readonly silentDevices: () => number | undefined;
}

/** A gateway's reports on itself, now and then. */
export interface HealthReports extends Disposable {
  /** Reports made. */
  readonly received: number;
  /** From now on every `period` seconds. */
  start(period: number): void;
}

/** The longest line that the gateway says of itself. */
const HEALTH_LINE_BYTES = 1024;

export function openHealthReports(options: HealthOptions): HealthReports {
  const { gateway, folder, spool, stage, counts, skew, silentDevices } = options;
  const intake = new LineIntake(stage, HEALTH_LINE_BYTES);
  let timer: NodeJS.Timeout | undefined;
  const report = async (): Promise<void> => {
    const free = await diskFree(folder);
    if (spool.full || timer === undefined) return;
    const { backlog, resentReadings: resent } = counts();
    const health = { backlog, resent, diskFree: free, skew: skew()?.skew, silent: silentDevices() };
    const line = Buffer.from(healthLine(gateway, health));
    intake.take(line, 0, line.length, Date.now());
    spool.touch();
  };
  return {
    get received() {
      return intake.received;
    },
    start(period): void {
      clearInterval(timer);
      timer = setInterval(() => void report(), period * 1000);
    },
    [Symbol.dispose](): void {
      clearInterval(timer);
      timer = undefined;
    },
  };
}
