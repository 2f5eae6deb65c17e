import { holdFolder } from "#cli/backup/hold.ts";

/** A backup that holds data folder `argv[2]` and never comes to an end. */
await using _hold = await holdFolder(process.argv[2]!, []);
process.send!("held");
await new Promise((resolve) => process.once("disconnect", resolve));
