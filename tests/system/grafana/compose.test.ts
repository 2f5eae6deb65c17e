import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { requireDebian, whySkipped } from "../../support/debian.ts";

const run = promisify(execFile);
const deploy = join(import.meta.dirname, "..", "..", "..", "deploy");
const there = await requireDebian("docker-compose");
const note = there ? "" : ` (${whySkipped("docker-compose")})`;
const secrets = { GRAFANA_PASSWORD: "a", INFLUX_TOKEN: "b", INFLUX_PASSWORD: "c" };

/** Checks the file against Compose's own schema, fills it in, and prints it; it needs no running Docker. */
async function config(file: string, environment: Record<string, string>): Promise<string> {
  const { stdout } = await run("docker-compose", ["--file", join(deploy, file), "config"], {
    env: { PATH: process.env["PATH"], ...environment },
  });
  return stdout;
}

describe.skipIf(!there)(`docker-compose config${note}`, () => {
  test.each([
    ["compose.yaml", ["grafana", "grants", "influxdb", "platform"]],
    ["compose.embedded.yaml", ["grafana", "grants", "platform"]],
  ])("%s is one of Compose's, with %s", async (file, services) => {
    const filled = parse(await config(file, secrets)) as { services: object };
    expect(Object.keys(filled.services).sort()).toEqual(services);
  });

  test("without a secret it does not start", async () => {
    await expect(config("compose.embedded.yaml", {})).rejects.toThrow("set GRAFANA_PASSWORD");
  });
});
