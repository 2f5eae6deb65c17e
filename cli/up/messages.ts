import { z } from "zod";

const count = z.number().nonnegative();

/** What `marsad sim` tells over IPC, about once a second. */
export const SimMessage = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("history"), sent: count, total: count }),
  z.object({ kind: z.literal("live"), sent: count }),
]);
export type SimMessage = z.infer<typeof SimMessage>;

/** What `marsad edge` tells over IPC, about once a second: its agents' counts. */
export const EdgeMessage = z.object({ agents: z.array(z.object({ gateway: z.string(), backlog: count })) });

export const PlatformReady = z.object({ mqtt: z.string(), http: z.url() });

export const EdgeReady = z.object({
  agents: z.array(
    z.object({ gateway: z.string(), inputs: z.array(z.object({ type: z.string(), address: z.string() })) }),
  ),
});

export const SimReady = z.object({});
