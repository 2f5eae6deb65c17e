/** How often fault tests kill: twice in every run, as often as `SOAK_KILLS` says in a soak. */
export const kills = Number(process.env["SOAK_KILLS"] ?? 2);
/** How long what fails is away: seconds in every run, as long as `SOAK_OUTAGE_S` says in a soak. */
export const outageSeconds = Number(process.env["SOAK_OUTAGE_S"] ?? 8);
/** How long gateways send more than the platform can take: seconds. */
export const overloadSeconds = Number(process.env["SOAK_OVERLOAD_S"] ?? 5);
/** Connections of a storm. */
export const stormConnections = Number(process.env["SOAK_CONNECTIONS"] ?? 1_000);
/** Gateways that each have a message retained. */
export const retainedMessages = Number(process.env["SOAK_RETAINED"] ?? 10_000);
/** Rounds without and with subscribers that do not read. */
export const subscriberRounds = Number(process.env["SOAK_SUBSCRIBER_ROUNDS"] ?? 2);
