import { randomUUID } from "node:crypto";
import { expect } from "vitest";
import { compress } from "#runtime/zstd.ts";
import type { GatewayIdentity } from "#telemetry/names.ts";
import type { Nack } from "#telemetry/nack.ts";
import { connectGateway, type MqttGateway } from "../../support/mqtt-gateway.ts";
import type { Platform } from "../../support/platform.ts";
import { poll } from "../../support/poll.ts";
import { type History, type Message, Teller } from "./histories.ts";

/** One gateway's history, as it is sent and as it must be kept. */
export class Scene implements AsyncDisposable {
  readonly identity: GatewayIdentity;
  readonly teller: Teller;
  readonly #password: string;
  readonly #sensors: readonly string[];
  /** Without a PUBACK, in the order of their sending: they are sent again on the next connection. */
  readonly #pending = new Set<Message>();
  #gateway: MqttGateway | undefined;
  /** Readings from the future in all messages, and in those that were sent again for want of a PUBACK. */
  future = 0;
  futureAgain = 0;
  /** As the platform's ledger has it, once it was asked. */
  refused = 0;
  /** Connections that ended. */
  cuts = 0;

  constructor(identity: GatewayIdentity, password: string) {
    this.identity = identity;
    this.#password = password;
    this.#sensors = [0, 1, 2, 3].map((i) => `${identity.name}.${i}`);
    const minute = 60_000;
    this.teller = new Teller(this.#sensors, randomUUID(), Math.floor(Date.now() / minute) * minute);
  }

  /** @param kill  At its moment in the history; answers where the platform is afterwards. */
  async play(
    { steps, killAt }: History,
    port: number,
    kill: () => Promise<number | undefined>,
  ): Promise<void> {
    let to = port;
    await this.#connect(to);
    for (const [at, step] of steps.entries()) {
      if (at === killAt) {
        const moved = await kill();
        if (moved !== undefined) await this.#connect((to = moved));
      }
      if (step.do === "reconnect") await this.#connect(to);
      else {
        const message = this.teller.tell(step);
        if (message === undefined) continue;
        this.future += message.future;
        this.#publish(message);
      }
    }
    await poll(() => this.#pending.size === 0, { interval: 5 });
  }

  /** What the platform has told on the last connection. */
  get nacks(): readonly Nack[] {
    return this.#gateway?.nacks ?? [];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#gateway?.[Symbol.asyncDispose]();
  }

  async #connect(port: number): Promise<void> {
    if (this.#gateway !== undefined) this.cuts += 1;
    await this.#gateway?.[Symbol.asyncDispose]();
    const { identity } = this;
    this.#gateway = await connectGateway({ identity, password: this.#password, port });
    await this.#gateway.birth(this.#sensors);
    for (const message of Array.from(this.#pending)) {
      this.futureAgain += message.future;
      this.#publish(message);
    }
  }

  #publish(message: Message): void {
    const { format, text } = message;
    const { client, topics } = this.#gateway!;
    this.#pending.add(message);
    const payload = format === "lp-zstd" ? compress(Buffer.from(text)) : Buffer.from(text);
    client.publish(topics.up[format], payload, { qos: 1 }, (error) => {
      if (!error) this.#pending.delete(message);
    });
  }
}

/** The ledger balances; what was ahead is refused, told, and in the dead letters, and nothing else is. */
export async function expectAccount(scene: Scene, platform: Platform): Promise<void> {
  const { name } = scene.identity;
  const account = await platform.settled(name, ({ on_its_way: { missing } }) => missing === 0);
  const { refused } = account;
  scene.refused = refused;
  expect(account).toMatchObject({ balanced: true, on_its_way: { waiting: 0 } });
  expect(account.refused_by_reason.future ?? 0).toBe(refused);
  expect(refused).toBeGreaterThanOrEqual(scene.future);
  expect(refused).toBeLessThanOrEqual(scene.future + scene.futureAgain);
  const letters = await platform.deadLetters(name);
  expect(letters.filter(({ reason }) => reason !== "future")).toEqual([]);
  expect(sum(letters, ({ readings }) => readings)).toBe(refused);
  // A nack follows within a second; what would have been told on a connection that ended is not told again.
  if (scene.cuts === 0) await poll(() => sum(scene.nacks, ({ count }) => count) === refused);
  const told = scene.nacks.flatMap(({ rejections }) => rejections);
  expect(told.filter(({ reason }) => reason !== "future")).toEqual([]);
}

export function sum<T>(all: readonly T[], of: (one: T) => number): number {
  return all.reduce((total, one) => total + of(one), 0);
}
