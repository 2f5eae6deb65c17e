import type { Client } from "aedes";

/** A publish (or the PUBREL that replaced it) as aedes hands it to its persistence. */
export interface AedesPacket {
  cmd: "publish" | "pubrel";
  topic: string;
  payload: Buffer;
  qos: 0 | 1 | 2;
  retain: boolean;
  dup: boolean;
  messageId?: number | undefined;
  brokerId?: string;
  brokerCounter?: number;
}

export interface AedesSubscription {
  topic: string;
  qos: 0 | 1 | 2;
  rh?: number | undefined;
  rap?: boolean | undefined;
  nl?: boolean | undefined;
}

/** A subscription of a persistent session that matches a topic. */
export interface MatchedSubscription {
  readonly clientId: string;
  readonly topic: string;
  readonly qos: 0 | 1 | 2;
}

/** What aedes tells its persistence about a client; more of it only where a method says so. */
export type ClientId = Pick<Client, "id">;
