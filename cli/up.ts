import { join } from "node:path";
import { Command, InvalidArgumentError, Option } from "commander";
import { resolveConfig } from "#runtime/config.ts";
import { openDataLock } from "#runtime/data-lock.ts";
import { untilSignal } from "#runtime/lifecycle.ts";
import { writeFileAtomically } from "#runtime/write-file.ts";
import { openClient } from "./client.ts";
import { grouped, paint } from "./output.ts";
import { PlatformConfig } from "./platform/config.ts";
import { chooseAddress } from "./up/addresses.ts";
import { RunningCity } from "./up/city.ts";
import { prepareCity, type DemoCity } from "./up/demo-city.ts";
import { parseDuration } from "./duration.ts";
import { openScreen, type Screen } from "./up/screen.ts";
import { verifySensors } from "./up/verify.ts";
import { watchCity } from "./up/watch.ts";

interface UpOptions {
  readonly data: string;
  readonly mqtt?: string;
  readonly http?: string;
  readonly sensors?: number;
  readonly seed?: number;
  readonly history: string;
  readonly store: string;
  readonly influxUrl?: string;
  readonly influxDb?: string;
  readonly influxUser?: string;
  readonly readyFile?: string;
}

/** `marsad up`: sim, edge and platform as three child processes, until Ctrl-C. */
export function upCommand(): Command {
  return new Command("up")
    .description(
      "Brings a whole demo city up: virtual sensors, the agents on its gateways, and the platform, each a process of its own. " +
        "On an empty folder it first sends history, then lives. Ctrl-C ends everything in order.",
    )
    .addOption(
      new Option("--data <dir>", "the data folder, made if missing")
        .env("MARSAD_DATA")
        .default("marsad-data"),
    )
    .addOption(
      new Option("--mqtt <host:port>", `where gateways connect (default: ${usual.mqtt}, or a free port)`).env(
        "MARSAD_MQTT",
      ),
    )
    .addOption(
      new Option("--http <host:port>", `where HTTP answers (default: ${usual.http}, or a free port)`).env(
        "MARSAD_HTTP_LISTEN",
      ),
    )
    .addOption(
      new Option("--sensors <n>", "virtual sensors (default: 300)")
        .env("MARSAD_SENSORS")
        .argParser(wholeNumber(1, 100_000)),
    )
    .addOption(
      new Option("--seed <n>", "which city (default: 1)")
        .env("MARSAD_SEED")
        .argParser(wholeNumber(0, 2 ** 31 - 1)),
    )
    .addOption(
      new Option("--history <duration>", "how far back it begins: 30d, 12h, 0")
        .env("MARSAD_HISTORY")
        .default("30d")
        .argParser(durationText),
    )
    .addOption(
      new Option("--store <kind>", "where readings are kept")
        .env("MARSAD_STORE")
        .choices(["duckdb", "influxdb"])
        .default("duckdb"),
    )
    .addOption(
      new Option("--influx-url <url>", "the InfluxDB of --store influxdb: http://127.0.0.1:8086").env(
        "MARSAD_INFLUX_URL",
      ),
    )
    .addOption(new Option("--influx-db <name>", "its database (default: marsad)").env("MARSAD_INFLUX_DB"))
    .addOption(
      new Option(
        "--influx-user <name>",
        "its user, whose password is in MARSAD_INFLUX_PASSWORD or the file MARSAD_INFLUX_PASSWORD_FILE names",
      ).env("MARSAD_INFLUX_USER"),
    )
    .addOption(new Option("--ready-file <file>", "write the addresses here once all is usable"))
    .action(async (options: UpOptions) => {
      using ending = untilSignal();
      try {
        await up(options, ending.signal);
      } catch (error) {
        if (!ending.signal.aborted) throw error;
      }
    });
}

const usual = { mqtt: "127.0.0.1:1883", http: "127.0.0.1:8080" };

async function up(options: UpOptions, signal: AbortSignal): Promise<void> {
  const { data, history, readyFile } = options;
  const storeArgs = await checkedStoreArgs(options);
  const history_ms = parseDuration(history) ?? 0;
  const mqtt = await chooseAddress(options.mqtt, usual.mqtt);
  const http = await chooseAddress(options.http, usual.http);
  using _lock = await openDataLock(join(data, "run"));
  const screen = openScreen(process.stdout);
  if (mqtt.moved) screen.warn(`MQTT: ${usual.mqtt} is taken; using ${mqtt.address}.`);
  if (http.moved) screen.warn(`HTTP: ${usual.http} is taken; using http://${http.address}.`);

  const demo = await prepareCity(
    data,
    { seed: options.seed, sensors: options.sensors, history_ms },
    mqtt.address,
  );
  signal.addEventListener("abort", () => {
    screen.close();
    screen.say("Ending: the sensors, the gateways, the platform …");
  });
  const onDeath = (program: string, how: string): void => {
    if (!signal.aborted)
      screen.warn(`${program} ended (${how}); starting it again. Its log: ${data}/logs/${program}.log`);
  };
  try {
    await using city = new RunningCity({
      data,
      city: demo,
      mqtt: mqtt.address,
      http: http.address,
      storeArgs,
      history,
      onDeath,
    });
    screen.say(`Starting ${grouped(demo.sensors)} sensors behind ${demo.gateways.length} gateways …`);
    const addresses = await city.start(signal);
    greet(screen, data, demo, addresses);
    if (readyFile !== undefined) await writeFileAtomically(readyFile, `${JSON.stringify(addresses)}\n`);
    await Promise.all([
      verifySensors(data, demo.gateways, signal),
      watchCity(city, openClient(addresses.http), screen, signal),
    ]);
  } finally {
    screen.close();
  }
}

/** What the platform is told of its store, once the platform's own schema has found nothing wrong with it. */
async function checkedStoreArgs(options: UpOptions): Promise<string[]> {
  const { store, influxUrl, influxDb, influxUser } = options;
  await resolveConfig(PlatformConfig, {
    flags: { store, influxUrl, influxDb, influxUser },
    env: process.env,
  });
  const given = { "--influx-url": influxUrl, "--influx-db": influxDb, "--influx-user": influxUser };
  const args = Object.entries(given).flatMap(([flag, value]) => (value === undefined ? [] : [flag, value]));
  return ["--store", store, ...args];
}

function greet(
  screen: Screen,
  data: string,
  city: DemoCity,
  addresses: { mqtt: string; http: string },
): void {
  const { mqtt, http } = addresses;
  const elsewhere = http === `http://${usual.http}` ? "" : ` --http ${http}`;
  const agencies = city.gateways.map(({ agency }) => agency);
  const lines = [
    paint.strong("Marsad is up."),
    `  MQTT  ${mqtt}   gateways connect here`,
    `  HTTP  ${http}   the API; ${http}/openapi.json describes it`,
    `  city  ${grouped(city.sensors)} sensors (seed ${city.seed}) of ${[...new Set(agencies)].join(", ")}`,
    `  data  ${data}   logs in ${data}/logs`,
    "Try, in another terminal:",
    `  npx marsad status${elsewhere}`,
    `  npx marsad account${elsewhere}`,
    `  curl '${http}/api/v1/readings?measurement=traffic_flow&sensor=tf-001&order=desc&limit=5'`,
    `  npx marsad query 'SELECT mean("speed_avg") FROM "traffic_flow" WHERE time > now() - 3h GROUP BY time(1h), "municipality"'`,
    "Ctrl-C ends everything in order.",
  ];
  for (const line of lines) screen.say(line);
}

function wholeNumber(low: number, high: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= low && value <= high) return value;
    throw new InvalidArgumentError(`It is a whole number from ${low} to ${high}.`);
  };
}

function durationText(text: string): string {
  if (parseDuration(text) !== undefined) return text;
  throw new InvalidArgumentError("It is a number and a unit: 30d, 12h, 90m, or 0.");
}
