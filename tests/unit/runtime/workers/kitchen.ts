import { setTimeout as sleep } from "node:timers/promises";
import { MarsadError } from "#runtime/errors.ts";
import { type Served, transferred, serveWorker } from "#runtime/worker.ts";

export interface KitchenInit {
  readonly fail?: "open" | "close";
  /** 4 bytes, written when the kitchen closes. */
  readonly closed?: SharedArrayBuffer;
}

/** Something to call from tests. */
export interface Kitchen {
  double(value: number): number;
  nothing(): void;
  later(order: { after_ms: number; dish: string }): string;
  fill(length: number): { column: Float64Array };
  sum(column: Float64Array): number;
  refuse(code: "QUEUE_FULL" | "none"): never;
  explode(): void;
  exit(): void;
  unclonable(): unknown;
}

await serveWorker((init: KitchenInit): Served<Kitchen> => {
  if (init.fail === "open") throw new MarsadError("DATA_LOCKED", "the kitchen is taken");
  return {
    methods: {
      double: (value) => value * 2,
      nothing: () => undefined,
      later: async ({ after_ms, dish }) => {
        await sleep(after_ms);
        return dish;
      },
      fill: (length) => {
        const column = new Float64Array(length).fill(1);
        return transferred({ column }, [column.buffer]);
      },
      sum: (column) => column.reduce((sum, value) => sum + value, 0),
      refuse: (code) => {
        if (code === "none") throw new RangeError("not on the menu");
        throw new MarsadError(code, "no more room", {
          cause: new MarsadError("QUEUE_UNWRITABLE", "the disk"),
        });
      },
      explode: () =>
        void setImmediate(() => {
          throw new Error("gas");
        }),
      exit: () => process.exit(0),
      unclonable: () => () => 1,
    },
    close: () => {
      if (init.fail === "close") throw new MarsadError("QUEUE_UNWRITABLE", "the door is stuck");
      if (init.closed !== undefined) new Int32Array(init.closed)[0] = 1;
    },
  };
});
