import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Gateways } from "#api/schemas.ts";
import { openClient } from "#cli/client.ts";
import { poll } from "../../support/poll.ts";
import { type Program, startProgram } from "../../support/program.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { runMarsad } from "../cli/run-marsad.ts";

const sensors = 6;
const historyMinutes = 60;

type Up = Program<{ mqtt: string; http: string }>;

function startCity(folder: string): Promise<Up> {
  const which = ["--sensors", String(sensors), "--history", `${historyMinutes}m`];
  const addresses = ["--mqtt", "127.0.0.1:0", "--http", "127.0.0.1:0"];
  return startProgram({
    args: ["up", "--data", join(folder, "data"), ...addresses, ...which],
    folder,
    name: "up",
  });
}

/** @returns readings stored, once there are so many and nothing is missing or unbalanced. */
async function storedAtLeast({ ready: { http } }: Up, wanted: number): Promise<number> {
  return await poll(async () => {
    const { gateways } = await openClient(http)
      .get("/api/v1/gateways", Gateways)
      .catch(() => ({ gateways: [] }));
    const stored = gateways.reduce((sum, gateway) => sum + gateway.stored, 0);
    return stored >= wanted && gateways.every(({ balanced }) => balanced) && stored;
  });
}

test("a demo city is backed up while it runs, and comes up elsewhere with its gateways and readings, but not their outboxes", async () => {
  using folder = tempFolder("city");
  using elsewhere = tempFolder("city");
  const backup = join(folder.path, "backup");
  await using up = await startCity(folder.path);
  const history = sensors * (historyMinutes - 1);
  await storedAtLeast(up, history);
  const made = await runMarsad(["backup", backup, "--data", join(folder.path, "data"), "--json"]);
  expect(made).toMatchObject({ code: 0, stderr: "" });
  const { rows } = (JSON.parse(made.stdout) as { store: { rows: number } }).store;
  expect(await up.end("SIGINT")).toBe(0);

  const files = await readdir(backup, { recursive: true });
  expect(files).toEqual(expect.arrayContaining(["up.json", "sim/city.json"]));
  const inEdge = files.filter((file) => file.startsWith("edge/"));
  expect(inEdge.filter((file) => file.endsWith("/password")).length).toBeGreaterThan(0);
  expect(inEdge.filter((file) => /outbox|data\.mdb|lock|holder/.test(file))).toEqual([]);
  expect(files.filter((file) => /^(run|logs|backup)\b/.test(file) && file !== "backup.json")).toEqual([]);

  const data = join(elsewhere.path, "data");
  expect(await runMarsad(["restore", backup, "--data", data])).toMatchObject({ code: 0 });
  await using again = await startCity(elsewhere.path);
  // It goes on where the backup was: what is said twice is stored once, and more comes.
  expect(await storedAtLeast(again, rows + 1)).toBeGreaterThan(rows);
  expect(await again.end("SIGINT")).toBe(0);
});
