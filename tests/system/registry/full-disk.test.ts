import { rmSync, statfsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pino } from "pino";
import { expect, test } from "vitest";
import { openRegistry } from "#ingest/registry/registry.ts";
import type { Birth } from "#telemetry/birth.ts";
import { canMount, smallDisk } from "../../support/small-disk.ts";

const gateway = { name: "gw-1", agency: "water" };

function birth(count: number): Birth {
  const sensors = Array.from({ length: count }, (_, i) => ({
    id: `m-${i}`,
    place: "QA-DA",
    site: "Pump ".repeat(9) + i,
  }));
  return { marsad: 1, agent: "1.0.0", sensors };
}

test.skipIf(!canMount())(
  "a birth that the full disk does not take is refused whole, and taken when there is room again",
  async () => {
    using disk = smallDisk("registry", 8);
    const options = {
      path: join(disk.path, "registry"),
      limits: { sensorsPerGateway: 5000 },
      log: pino({ level: "silent" }),
    };
    {
      await using registry = await openRegistry(options);
      registry.birth(gateway, birth(10), 1000);
      const filler = join(disk.path, "filler");
      const { bavail, bsize } = statfsSync(disk.path);
      writeFileSync(filler, Buffer.alloc(bavail * bsize));
      for (let attempt = 0; attempt < 3; attempt += 1) {
        expect(() => registry.birth(gateway, birth(2000), 2000)).toThrow(
          expect.objectContaining({ code: "RECORDS_UNWRITABLE" }),
        );
        expect(registry.count).toBe(10);
        expect(registry.lookup("water", "m-9")).toMatchObject({ gateway: "gw-1" });
      }
      expect(registry.birth(gateway, birth(10), 3000)).toEqual({ changed: [], refused: [] });
      rmSync(filler);
      expect(registry.birth(gateway, birth(2000), 4000).changed).toHaveLength(1990);
    }
    await using registry = await openRegistry(options);
    expect(registry.count).toBe(2000);
  },
);
