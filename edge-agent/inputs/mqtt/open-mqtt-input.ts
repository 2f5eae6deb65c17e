import type { IPublishPacket } from "mqtt";
import { setTimeout as sleep } from "node:timers/promises";
import { type Log, oncePer } from "#runtime/log.ts";
import { backOffDelay } from "../../back-off.ts";
import type { EdgeAgentConfig } from "../../config.ts";
import type { LineIntake } from "../../line-intake.ts";
import type { Input, InputTarget } from "../input.ts";
import type { InputPlans } from "../plans.ts";
import type { MqttInput } from "./config.ts";
import { decodeMessage } from "./decode-message.ts";
import { connectLocally } from "./local-client.ts";
import type { TopicPlan } from "./topic-plan.ts";

interface Context {
  readonly config: EdgeAgentConfig;
  readonly plans: InputPlans;
  readonly log: Log;
}

/** Begins to hear a local broker's topics; it does not wait for the broker. */
export function openMqttInput(
  input: MqttInput,
  intake: LineIntake,
  target: InputTarget,
  context: Context,
): Input {
  const subscriber = new Subscriber(input, intake, target, context);
  subscriber.start();
  return subscriber;
}

/**
 * Hears the topics of a local broker. A message of QoS 1 is acknowledged when its readings are on disk; while the outbox is full none is, and the
 * broker keeps them. The broker also keeps them while the agent is away: the session is a lasting one.
 */
class Subscriber implements Input {
  readonly type = "mqtt";
  readonly #input: MqttInput;
  readonly #plans: readonly TopicPlan[];
  readonly #intake: LineIntake;
  readonly #target: InputTarget;
  readonly #config: EdgeAgentConfig;
  readonly #log: Log;
  readonly #leaving = new AbortController();
  readonly #oncePer10s = oncePer();
  #room = Promise.withResolvers<void>();
  #running: Promise<void> | undefined;
  #unreadable = 0;

  constructor(input: MqttInput, intake: LineIntake, target: InputTarget, { config, plans, log }: Context) {
    this.#input = input;
    this.#plans = plans.topics.get(input) ?? [];
    this.#intake = intake;
    this.#target = target;
    this.#config = config;
    this.#log = log.child({ connect: input.connect });
    this.#leaving.signal.addEventListener("abort", () => this.#room.resolve(), { once: true });
  }

  get address(): string {
    return this.#input.connect;
  }

  get counts(): Input["counts"] {
    return { rejectedLines: this.#unreadable, droppedLines: 0 };
  }

  start(): void {
    this.#running ??= this.#run();
  }

  resume(): void {
    this.#room.resolve();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#leaving.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#leaving;
    const { min_ms: min, max_ms: max } = this.#config.reconnect;
    let failures = 0;
    while (!signal.aborted) {
      try {
        const connection = await connectLocally(
          {
            input: this.#input,
            clientId: this.#input.client_id ?? `marsad-${this.#config.gateway}`,
            clean: false,
            filters: [...new Set(this.#plans.map(({ pattern }) => pattern.filter))],
            take: (packet) => this.#take(packet),
          },
          signal,
        );
        this.#log.info("Connected to the local broker.");
        failures = 0;
        const why = await connection.ended;
        if (!signal.aborted)
          this.#log.warn({ why }, "The connection to the local broker ended; connecting again.");
      } catch (error) {
        if (!signal.aborted) this.#explain(error);
      }
      failures += 1;
      const wait = backOffDelay(failures, { min, max }, Math.random());
      await sleep(wait, undefined, { signal }).catch(() => {});
    }
  }

  /** Resolves to false when the agent ends before the message is on disk: the broker keeps it. */
  async #take({ topic, payload, qos, retain }: IPublishPacket): Promise<boolean> {
    while (this.#target.full && !this.#leaving.signal.aborted) {
      this.#room = Promise.withResolvers();
      await this.#room.promise;
    }
    if (this.#leaving.signal.aborted) return false;
    this.#decode(topic, typeof payload === "string" ? Buffer.from(payload) : payload, retain);
    if (qos > 0) return this.#target.committed();
    this.#target.taken();
    return true;
  }

  #decode(topic: string, payload: Buffer, retained: boolean): void {
    if (payload.length > this.#input.max_message_bytes) {
      this.#left(topic, `${payload.length} bytes are more than max_message_bytes`);
      return;
    }
    const now = Date.now();
    for (const [index, plan] of this.#plans.entries()) {
      const levels = retained && !plan.retained ? undefined : plan.pattern.match(topic);
      if (levels === undefined) continue;
      const decoded = decodeMessage(plan, levels, payload);
      if (decoded.kind === "unreadable") this.#left(topic, decoded.why);
      else if (decoded.kind === "nothing")
        this.#log.debug({ topic, why: decoded.why }, "A message has no readings.");
      else {
        this.#intake.take(decoded.lines, 0, decoded.lines.length, now);
        for (const problem of decoded.problems)
          this.#tell(`${index} ${problem}`, topic, problem, "A field was left out.");
      }
    }
  }

  #left(topic: string, why: string): void {
    this.#unreadable += 1;
    this.#tell("unreadable", topic, why, "A message cannot be read; it is left out.");
  }

  #tell(key: string, topic: string, why: string, message: string): void {
    const held = this.#oncePer10s(key);
    if (held !== undefined) this.#log.warn({ topic, why, held }, message);
  }

  #explain(error: unknown): void {
    const held = this.#oncePer10s("connection");
    const why = error instanceof Error ? error.message : String(error);
    if (held !== undefined) this.#log.warn({ why, held }, "No connection to the local broker; trying again.");
  }
}
