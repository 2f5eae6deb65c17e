/** `marsad sim` as a process of its own, for tests that kill it. */
import { simCommand } from "#cli/sim.ts";

await simCommand().parseAsync(process.argv.slice(2), { from: "user" });
