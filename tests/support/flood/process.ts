import { setTimeout as sleep } from "node:timers/promises";
import { FloodGateway, type FloodGatewayOptions } from "./gateway.ts";

/** What a flood is told. */
export type FloodOrder =
  | { readonly do: "open"; readonly gateways: readonly FloodGatewayOptions[] }
  /** As fast as PUBACKs allow. */
  | { readonly do: "saturate"; readonly seconds: number }
  /** So many messages a second, whatever the platform says to it. */
  | { readonly do: "offer"; readonly messagesPerSecond: number; readonly seconds: number }
  /** Sends nothing until everything sent has its PUBACK. */
  | { readonly do: "drain" };

/** What happened while an order was carried out; all gateways together. */
export interface FloodPhase {
  readonly seconds: number;
  /** Messages that were due, that TCP took, and that got their PUBACK. */
  readonly offered: number;
  readonly sent: number;
  readonly acknowledged: number;
  /** Milliseconds, sorted: from a write to the last of its PUBACKs. */
  readonly latencies: readonly number[];
  /** Milliseconds, sorted: from PINGREQ to PINGRESP. */
  readonly pings: readonly number[];
  /** Names of the gateways whose connection was closed, since the beginning. */
  readonly cut: readonly string[];
  /** Messages without a PUBACK, at the end. */
  readonly waiting: number;
  readonly cpuSeconds: number;
  /** Since the beginning, by gateway: messages sent, and how many of the first of them are acknowledged. */
  readonly totals: readonly { readonly name: string; readonly sent: number; readonly acknowledged: number }[];
}

const tickMs = 5;
const pingEveryMs = 500;
/** Milliseconds that a drain may take. */
const patience = 60_000;
const opened: { readonly name: string; readonly gateway: FloodGateway }[] = [];

async function carryOut(order: FloodOrder): Promise<FloodPhase> {
  if (order.do === "open") {
    for (const options of order.gateways)
      opened.push({ name: options.name, gateway: await FloodGateway.open(options) });
  }
  const gateways = opened.map(({ gateway }) => gateway);
  const sum = (of: (gateway: FloodGateway) => number): number =>
    gateways.reduce((all, one) => all + of(one), 0);
  const before = { sent: sum(({ sent }) => sent), acknowledged: sum((one) => one.acknowledged) };
  const cpu = process.cpuUsage();
  const began = performance.now();
  for (const gateway of gateways) {
    gateway.latencies = [];
    gateway.pings = [];
  }
  let offered = 0;
  const elapsed = (): number => (performance.now() - began) / 1000;
  if (order.do === "saturate") {
    for (const gateway of gateways) gateway.saturate(true);
    while (elapsed() < order.seconds) await sleep(tickMs);
    for (const gateway of gateways) gateway.saturate(false);
  } else if (order.do === "offer") {
    const taken = gateways.map(() => 0);
    while (elapsed() < order.seconds) {
      const due = Math.floor((order.messagesPerSecond * elapsed()) / gateways.length);
      offered = due * gateways.length;
      gateways.forEach((gateway, i) => (taken[i]! += gateway.offer(due - taken[i]!)));
      await sleep(tickMs);
    }
  } else if (order.do === "drain") {
    const isDone = (): boolean =>
      gateways.every(({ cut, sent, acknowledged }) => cut || sent === acknowledged);
    while (!isDone() && elapsed() * 1000 < patience) await sleep(tickMs);
  }
  const { user, system } = process.cpuUsage(cpu);
  const sent = sum((one) => one.sent) - before.sent;
  return {
    seconds: elapsed(),
    offered: order.do === "offer" ? offered : sent,
    sent,
    acknowledged: sum((one) => one.acknowledged) - before.acknowledged,
    latencies: gateways.flatMap(({ latencies }) => latencies).sort((a, b) => a - b),
    pings: gateways.flatMap(({ pings }) => pings).sort((a, b) => a - b),
    cut: opened.filter(({ gateway }) => gateway.cut).map(({ name }) => name),
    waiting: sum((one) => one.sent - one.acknowledged),
    cpuSeconds: (user + system) / 1e6,
    totals: opened.map(({ name, gateway }) => ({
      name,
      sent: gateway.sent,
      acknowledged: gateway.acknowledged,
    })),
  };
}

// Between orders, too: while a store catches up for a minute, nobody is to be taken for gone.
setInterval(() => {
  for (const { gateway } of opened) gateway.ping();
}, pingEveryMs);
// Whoever ordered the flood is gone: nothing of it stays.
process.on("disconnect", () => process.exit());
process.on("message", (order: FloodOrder) => {
  carryOut(order).then(
    (phase) => process.send?.({ phase }),
    (error: unknown) => process.send?.({ error: String(error) }),
  );
});
