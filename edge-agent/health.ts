import { statfs } from "node:fs/promises";
import type { BirthSensor } from "#telemetry/birth.ts";

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
}

/** The gateway's own reading, a line of line protocol without time. */
export function healthLine(gateway: string, { backlog, resent, diskFree }: Health): string {
  const disk = diskFree === undefined ? "" : `,disk_free=${diskFree.toFixed(2)}`;
  return `gateway_health,sensor=${gateway} backlog=${backlog},resent=${resent}${disk}\n`;
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
