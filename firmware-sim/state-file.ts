import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { MarsadError } from "#runtime/errors.ts";
import { writeFileAtomically } from "#runtime/write-file.ts";

const SavedDevice = z.object({
  last: z.number(),
  random: z.array(z.number()),
  state: z.record(z.string(), z.number()),
  version: z.literal(1).optional(),
});

/** Rows that no agent has fetched yet: event time and values, null = absent. */
const SavedMemory = z.object({
  first: z.number(),
  rows: z.array(z.array(z.number().nullable()).min(1)),
});

/**
 * A city's simulation at rest. Between `at` and `until` the run loop goes on exactly as written in `phase`, whatever the clock says, so
 * that what was sent after the last save is sent again with the same values.
 */
const SimState = z.object({
  version: z.literal(2),
  seed: z.number(),
  phase: z.enum(["history", "live"]),
  /** Simulated time: everything up to here has been said. ms since 1970. */
  at: z.number(),
  /** Nothing later than this is said before the next save. */
  until: z.number(),
  step_ms: z.number(),
  livePeriod_ms: z.number(),
  /** By sensor id. */
  devices: z.record(z.string(), SavedDevice),
  /** Of the devices that speak Modbus, by sensor id. */
  memories: z.record(z.string(), SavedMemory).default({}),
});
export type SimState = z.infer<typeof SimState>;

const Version1 = z.looseObject({ version: z.literal(1), devices: z.record(z.string(), z.looseObject({})) });

const fileName = "city.json";

/**
 * The state in `folder`; undefined when there is none yet.
 * @throws MarsadError STORE_FORMAT when the file is not a state of this version.
 */
export async function readState(folder: string): Promise<SimState | undefined> {
  const path = join(folder, fileName);
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
  try {
    return SimState.parse(upgraded(JSON.parse(text)));
  } catch (error) {
    throw new MarsadError("STORE_FORMAT", `${path} is not a simulation's state of this version`, {
      cause: error,
    });
  }
}

/** Version 1 knew no networks: its devices bring their totals along, and the city begins where it stood. */
function upgraded(document: unknown): unknown {
  const before = Version1.safeParse(document);
  if (!before.success) return document;
  const devices = Object.entries(before.data.devices).map(([id, device]) => [id, { ...device, version: 1 }]);
  return { ...before.data, version: 2, devices: Object.fromEntries(devices) };
}

/** Replaces the state in one step: after a crash the old or the new one is there, whole. */
export async function writeState(folder: string, state: SimState): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFileAtomically(join(folder, fileName), JSON.stringify(state));
}
