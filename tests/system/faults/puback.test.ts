import { join } from "node:path";
import type { IPublishPacket } from "mqtt-packet";
import { expect, test } from "vitest";
import { requireDebian, whySkipped } from "../../support/debian.ts";
import { reportFault } from "../../support/fault-report.ts";
import { connectGateway, type MqttGateway } from "../../support/mqtt-gateway.ts";
import { admitGateway, dataFolder, startPlatform } from "../../support/platform.ts";
import { kills } from "../../support/soak.ts";
import { storedRows } from "../../support/stored-rows.ts";
import { expectTracing, readTrace, straceTo } from "../../support/strace.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { PubackAuditor, type RecordMark } from "./puback-audit.ts";

const agency = "mobility";
const gateways = ["one", "two", "three", "four"];
const messagesPerGateway = 400 * kills;
/** Messages of a gateway without a PUBACK, at most: some commits hold many messages, some one. */
const windows = [1, 10, 50, 200];
const start = Date.now() - 3_600_000;

/** Most are stored, some wait for their sensor, some are refused: all of them are kept before the PUBACK. */
const waits = (message: number): boolean => message % 16 === 7;
const isRefused = (message: number): boolean => message % 16 === 11;

/** No two readings of all gateways have the same time, by which the record of each is known. */
const timeOf = (gateway: number, message: number): number => start + message * gateways.length + gateway;

function lineOf(gateway: number, message: number): string {
  const name = gateways[gateway]!;
  const time = timeOf(gateway, message);
  const sensor = waits(message) ? "unknown" : "known";
  const vehicles = isRefused(message) ? -5 : message % 600;
  return `traffic_flow,sensor=${name}.${sensor} vehicles=${vehicles},speed_avg=48.5 ${time}`;
}

/** A reading is known by its time: as text in what waits and what is refused, as a number in a block. A birth by its sensor, in the registry. */
function markOf(data: string, { topic, payload }: IPublishPacket): RecordMark {
  const [, , gateway, channel] = topic.split("/");
  if (channel === "birth") {
    const marks = [Buffer.from(`${gateway}.known`)];
    return { file: join(data, "registry", "data.mdb"), marks };
  }
  const text = / (\d+)$/.exec(payload.toString().trimEnd())![1]!;
  const numbers = [new Float64Array([Number(text)]), new BigInt64Array([BigInt(text)])];
  const marks = [Buffer.from(text), ...numbers.map(({ buffer }) => Buffer.from(buffer))];
  return { file: join(data, "journal", "data.mdb"), marks };
}

/** `SENSOR TIME VEHICLES` of what is to be stored. */
function owed(): string[] {
  return gateways.flatMap((name, gateway) =>
    Array.from({ length: messagesPerGateway }, (_, message) => message)
      .filter((message) => !waits(message) && !isRefused(message))
      .map((message) => `${name}.known ${timeOf(gateway, message)} ${message % 600}`),
  );
}

async function sendAll(gateway: MqttGateway, index: number): Promise<void> {
  let next = 0;
  const send = async (): Promise<void> => {
    while (next < messagesPerGateway) await gateway.send(lineOf(index, next++));
  };
  await Promise.all(Array.from({ length: windows[index]! }, send));
}

test("every PUBACK leaves after a sync that covers its message, as the kernel saw it", async ({
  annotate,
  skip,
}) => {
  skip(!(await requireDebian("strace")), whySkipped("strace"));
  await expectTracing();
  using folder = tempFolder("strace");
  const data = dataFolder(folder.path);
  const passwords = await Promise.all(gateways.map((name) => admitGateway(data, { name, agency })));
  const trace = join(folder.path, "trace");
  await using platform = await startPlatform({ folder: folder.path, under: straceTo(trace) });
  {
    await using stack = new AsyncDisposableStack();
    const connected = await Promise.all(
      gateways.map((name, i) =>
        connectGateway({ identity: { name, agency }, password: passwords[i]!, port: platform.mqttPort }),
      ),
    );
    for (const gateway of connected) stack.use(gateway);
    for (const [i, name] of gateways.entries()) await connected[i]!.birth([`${name}.known`]);
    await Promise.all(connected.map(sendAll));
    for (const name of gateways)
      expect(await platform.settled(name)).toMatchObject({ sent: messagesPerGateway });
  }
  expect(await platform.end("SIGTERM")).toBe(0);

  const auditor = new PubackAuditor((packet) => markOf(data, packet));
  for await (const event of readTrace(trace)) auditor.take(event);
  const { pubacks, commits, early } = auditor.result;
  const { rows } = await storedRows(data, "traffic_flow");
  const stored = rows.map(({ sensor, time, fields }) => `${sensor} ${time} ${fields["vehicles"]}`);
  const distinct = new Set(stored);
  const readings = gateways.length * messagesPerGateway;
  await reportFault(annotate, {
    fault: "strace: each PUBACK after the sync that covers it",
    tried: pubacks,
    sent: readings,
    acknowledged: readings,
    lost: owed().filter((row) => !distinct.has(row)).length,
    twice: stored.length - distinct.size,
    measured: { "PUBACKs before their sync": early.length, "transactions synced": commits },
  });
  expect(stored.toSorted()).toEqual(owed().toSorted());
  expect(early.slice(0, 10)).toEqual([]);
  expect(pubacks).toBe(gateways.length * (messagesPerGateway + 1));
});
