/** How often fault tests kill: twice in every run, as often as `SOAK_KILLS` says in a soak. */
export const kills = Number(process.env["SOAK_KILLS"] ?? 2);
/** How long what fails is away: seconds in every run, as long as `SOAK_OUTAGE_S` says in a soak. */
export const outageSeconds = Number(process.env["SOAK_OUTAGE_S"] ?? 8);
/** How long gateways send more than the platform can take: seconds. */
export const overloadSeconds = Number(process.env["SOAK_OVERLOAD_S"] ?? 4);
/** Connections of a storm. */
export const stormConnections = Number(process.env["SOAK_CONNECTIONS"] ?? 1_000);
/** Gateways that each have a message retained. */
export const retainedMessages = Number(process.env["SOAK_RETAINED"] ?? 10_000);
/** Rounds without and with subscribers that do not read. */
export const subscriberRounds = Number(process.env["SOAK_SUBSCRIBER_ROUNDS"] ?? 2);
/** Damaged packets, and damaged payloads, that are sent: as many as `SOAK_FUZZ` says in a soak. */
export const fuzzed = Number(process.env["SOAK_FUZZ"] ?? 5_000);
/** Where fuzzing begins: `SOAK_FUZZ_SEED` repeats a run. */
export const fuzzSeed = Number(process.env["SOAK_FUZZ_SEED"] ?? Date.now() % 1_000_000_000);
/** Histories of a gateway that are played: as many as `SOAK_HISTORIES` says in a soak. */
export const histories = Number(process.env["SOAK_HISTORIES"] ?? 3);
/** Of the combinations of what a scan may ask, every how many-th is tried: all of them with `SOAK_SCANS=1`. */
export const everyScan = Number(process.env["SOAK_SCANS"] ?? 37);
/** Queries made up at random, each answered in two ways that must be the same. */
export const generatedQueries = Number(process.env["SOAK_QUERIES"] ?? 400);
/** Queries made up at random and asked of both stores. */
export const comparedQueries = Number(process.env["SOAK_QUERIES"] ?? 150);
