import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { connectAsync } from "mqtt";
import { admitGateway, type Platform, startPlatform } from "../../support/platform.ts";
import { poll } from "../../support/poll.ts";
import { tempFolder } from "../../support/temp-folder.ts";

const gateway = { name: "corniche-1", agency: "mobility" };

async function scrape({ ready: { http } }: Platform): Promise<string> {
  const answer = await fetch(`${http}/metrics`);
  expect(answer.status).toBe(200);
  return await answer.text();
}

/** The value of a sample, named as it stands in the text format. */
function sample(text: string, name: string): number | undefined {
  const line = text.split("\n").find((candidate) => candidate.startsWith(`${name} `));
  return line === undefined ? undefined : Number(line.slice(name.length + 1));
}

test("every queue shows its depth, bytes and bound, each refusal its reason, and docs/metrics.md explains every metric and no other", async () => {
  using folder = tempFolder("metrics");
  await using platform = await startPlatform({ folder: folder.path });
  const password = await admitGateway(platform.data, gateway);
  const client = await connectAsync(`mqtt://${platform.ready.mqtt}`, {
    username: gateway.name,
    password,
    clientId: gateway.name,
  });
  const topic = `marsad/${gateway.agency}/${gateway.name}/up/lp`;
  await client.publishAsync(topic, `traffic_flow,sensor=nobody vehicles=3 ${Date.now() - 5_000}`, { qos: 1 });
  await client.publishAsync(topic.replace("up/lp", "up/json"), "{", { qos: 1 });
  await client.endAsync();

  let text = "";
  await poll(async () => {
    text = await scrape(platform);
    return sample(text, 'marsad_ingest_queue_readings{queue="waiting"}') === 1;
  });
  for (const queue of ["group", "journal", "waiting"]) {
    expect(sample(text, `marsad_ingest_queue_readings{queue="${queue}"}`)).toBeGreaterThanOrEqual(0);
    expect(sample(text, `marsad_ingest_queue_bytes{queue="${queue}"}`)).toBeGreaterThanOrEqual(0);
    expect(sample(text, `marsad_ingest_queue_bound_bytes{queue="${queue}"}`)).toBeGreaterThan(0);
    expect(sample(text, `marsad_ingest_queue_oldest_seconds{queue="${queue}"}`)).toBeGreaterThanOrEqual(0);
  }
  expect(sample(text, 'marsad_ingest_queue_oldest_seconds{queue="waiting"}')).toBeGreaterThan(0);
  for (const queue of ["held", "copies", "offline"]) {
    expect(sample(text, `marsad_broker_queue_bound_bytes{queue="${queue}"}`)).toBeGreaterThan(0);
  }
  expect(sample(text, 'marsad_ingest_refused_readings_total{reason="syntax"}')).toBe(1);
  expect(sample(text, "marsad_ingest_journal_commit_seconds_count")).toBeGreaterThan(0);

  const shown = Array.from(text.matchAll(/^# TYPE (marsad_\w+) /gm), ([, name]) => name);
  const page = await readFile(new URL("../../../docs/metrics.md", import.meta.url), "utf8");
  const explained = Array.from(page.matchAll(/^\| `(marsad_\w+)/gm), ([, name]) => name);
  // This platform speaks no TLS.
  const here = explained.filter((name) => !name?.startsWith("marsad_tls_"));
  expect(new Set(here)).toEqual(new Set(shown));
});
