import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { openOutboxFile } from "#edge-agent/outbox-file.ts";
import { openAedes } from "../../support/brokers.ts";
import { reportFault } from "../../support/fault-report.ts";
import { poll } from "../../support/poll.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { Received } from "./received.ts";
import { config, lines, openAgent, openSensor } from "./support.ts";

const fixture = join(import.meta.dirname, "..", "..", "fixtures", "outbox-1", "data.mdb.gz");
/** Of the fixture: readings that were numbered, and those that had their PUBACK. */
const [numbered, trimmed] = [5000, 1500];

test("an outbox of the first format is drained number by number, and goes on where it was", async ({
  annotate,
}) => {
  using folder = tempFolder("edge");
  const outbox = join(folder.path, "corniche-1", "outbox");
  mkdirSync(outbox, { recursive: true });
  writeFileSync(join(outbox, "data.mdb"), gunzipSync(readFileSync(fixture)));
  const before = ((): { uuid: string; readings: number } => {
    using file = openOutboxFile({ path: outbox, maxLiveBytes: 2 ** 30, maxFileBytes: 2 ** 30 });
    return { uuid: file.state.uuid, readings: file.backlog().readings };
  })();
  expect(before.readings).toBe(numbered - trimmed);

  await using broker = await openAedes();
  const received = new Received();
  broker.onMessage = received.take;
  await using agent = await openAgent(config({ mqttPort: broker.port, data: folder.path }));
  using sensor = await openSensor(agent.inputs[0]!.address);
  await sensor.send(lines(numbered, numbered + 500));
  await poll(() => received.count === numbered - trimmed + 500);
  await poll(() => agent.stats().backlogBytes === 0);
  expect(agent.stats()).toMatchObject({ backlog: 0, acknowledged: numbered - trimmed + 500 });
  const offered = lines(trimmed, numbered + 500);
  const arrived = received.numbered(before.uuid);
  // The number is part of the key, so that each stands for its own line.
  expect([...arrived]).toEqual(offered.map((line, i) => [trimmed + i, line]));
  await reportFault(annotate, {
    fault: "outbox of the previous version",
    tried: 1,
    sent: offered.length,
    acknowledged: offered.length,
    lost: offered.filter((line, i) => arrived.get(trimmed + i) !== line).length,
    twice: received.repeats,
  });
  expect([received.outboxes, received.repeats, received.contradictions]).toEqual([1, 0, []]);
});
