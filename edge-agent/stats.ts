import { Counter, Gauge, type Registry } from "prom-client";

/** An agent's counts since it started; `backlog`, `backlogBytes` and `silentDevices` are what is now. Readings, where nothing else is said. */
export interface EdgeAgentStats {
  /** Taken from inputs. */
  readonly received: number;
  /** Left out by filters, which is no loss: said nothing new. */
  readonly duplicates: number;
  /** Left out by filters: within their dead-bands. */
  readonly withinBand: number;
  /** Gone into averages. */
  readonly averaged: number;
  /** Averages made of those. */
  readonly averages: number;
  /** Committed to the outbox. */
  readonly batched: number;
  /** With their PUBACK; also those of an earlier run's backlog. */
  readonly acknowledged: number;
  /** In the outbox, without a PUBACK. */
  readonly backlog: number;
  /** Bytes in the outbox; what was acknowledged leaves it a moment later. */
  readonly backlogBytes: number;
  /** Batches sent again because their connection ended. */
  readonly resentBatches: number;
  /** Lines in datagrams that found the outbox full. */
  readonly droppedUdp: number;
  /** Lines that were too long, or cut short by the end of their connection; messages of a local broker that cannot be read. */
  readonly rejectedLines: number;
  /** Readings that the platform said it refused. */
  readonly refused: number;
  readonly connected: boolean;
  /** Seconds that the gateway's clock is ahead of the platform's; undefined while nobody knows. */
  readonly clockSkew: number | undefined;
  /** Times that a polled device was asked, and gave what it has. */
  readonly reads: number;
  /** Times that it did not. */
  readonly readFailures: number;
  /** Polled devices that did not when they were asked last; undefined where none are polled. */
  readonly silentDevices: number | undefined;
}

type Numbers = Exclude<
  {
    [Key in keyof EdgeAgentStats]: EdgeAgentStats[Key] extends number ? Key : never;
  }[keyof EdgeAgentStats],
  never
>;

const counters: readonly (readonly [name: string, key: Numbers, help: string])[] = [
  ["marsad_edge_agent_received_readings_total", "received", "Readings taken from sensors."],
  [
    "marsad_edge_agent_filtered_duplicate_readings_total",
    "duplicates",
    "Readings left out by filters: they repeated the last one.",
  ],
  [
    "marsad_edge_agent_filtered_within_band_readings_total",
    "withinBand",
    "Readings left out by filters: within their dead-bands.",
  ],
  ["marsad_edge_agent_averaged_readings_total", "averaged", "Readings gone into averages."],
  ["marsad_edge_agent_average_readings_total", "averages", "Averages made."],
  ["marsad_edge_agent_batched_readings_total", "batched", "Readings committed to the outbox."],
  ["marsad_edge_agent_acknowledged_readings_total", "acknowledged", "Readings acknowledged by the platform."],
  ["marsad_edge_agent_resent_batches_total", "resentBatches", "Batches sent again after a lost connection."],
  [
    "marsad_edge_agent_dropped_udp_lines_total",
    "droppedUdp",
    "Lines of datagrams that found the outbox full.",
  ],
  [
    "marsad_edge_agent_rejected_lines_total",
    "rejectedLines",
    "Lines too long, or cut short by their sender.",
  ],
  ["marsad_edge_agent_refused_readings_total", "refused", "Readings that the platform said it refused."],
  ["marsad_edge_agent_device_reads_total", "reads", "Answers of polled devices."],
  [
    "marsad_edge_agent_device_read_failures_total",
    "readFailures",
    "Polled devices that did not answer, or not in a way that can be read.",
  ],
];
const gauges: readonly (readonly [
  name: string,
  key: Numbers | "connected" | "clockSkew" | "silentDevices",
  help: string,
])[] = [
  ["marsad_edge_agent_backlog_readings", "backlog", "Readings on disk without an acknowledgement."],
  ["marsad_edge_agent_backlog_bytes", "backlogBytes", "Bytes in the outbox."],
  ["marsad_edge_agent_connected", "connected", "1 while connected to the platform."],
  [
    "marsad_edge_agent_clock_skew_seconds",
    "clockSkew",
    "How far the gateway's clock is ahead of the platform's.",
  ],
  ["marsad_edge_agent_silent_devices", "silentDevices", "Polled devices that do not answer now."],
];

/** The agents that report to a registry, by gateway: one process may run several. */
const reporting = new WeakMap<Registry, Map<string, () => EdgeAgentStats>>();

/** Shows an agent's stats in `registry`, labelled with its gateway, until the result is called. */
export function reportStats(registry: Registry, gateway: string, stats: () => EdgeAgentStats): () => void {
  const agents = reporting.get(registry) ?? openReport(registry);
  agents.set(gateway, stats);
  return () => agents.delete(gateway);
}

function openReport(registry: Registry): Map<string, () => EdgeAgentStats> {
  const agents = new Map<string, () => EdgeAgentStats>();
  reporting.set(registry, agents);
  const common = { labelNames: ["gateway" as const], registers: [registry] };
  for (const [name, key, help] of counters) {
    const counter = new Counter({
      name,
      help,
      ...common,
      collect(): void {
        counter.reset();
        for (const [gateway, stats] of agents) counter.inc({ gateway }, stats()[key]);
      },
    });
  }
  for (const [name, key, help] of gauges) {
    const gauge = new Gauge({
      name,
      help,
      ...common,
      collect(): void {
        gauge.reset();
        for (const [gateway, stats] of agents) {
          const value = stats()[key];
          if (value !== undefined) gauge.set({ gateway }, Number(value));
        }
      },
    });
  }
  return agents;
}
