import { afterAll, beforeAll, describe } from "vitest";
import { requireDebian, whySkipped } from "../../support/debian.ts";
import { connectGateway } from "../../support/mqtt-gateway.ts";
import { admitGateway, type Platform, startPlatform } from "../../support/platform.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { sendHour, testReaders } from "./readers.ts";

const there = await requireDebian("influxdb-client");
const note = there ? "" : ` (${whySkipped("influxdb-client")})`;
const resources = new AsyncDisposableStack();
let platform: Platform;

beforeAll(async () => {
  if (!there) return;
  const folder = resources.use(tempFolder("influx-duckdb"));
  platform = resources.use(await startPlatform({ folder: folder.path }));
  const identity = { name: "gw", agency: "mobility" };
  const password = await admitGateway(platform.data, identity);
  await using gateway = await connectGateway({ identity, password, port: platform.mqttPort });
  await sendHour(gateway);
  await platform.settled(identity.name, ({ stored }) => stored === 120);
});
afterAll(() => resources.disposeAsync());

describe.skipIf(!there)(`InfluxDB's clients read the embedded store${note}`, () => {
  testReaders(() => platform.ready.http);
});
