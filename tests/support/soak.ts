/** How often fault tests kill: twice in every run, as often as `SOAK_KILLS` says in a soak. */
export const kills = Number(process.env["SOAK_KILLS"] ?? 2);
/** How long what fails is away: seconds in every run, as long as `SOAK_OUTAGE_S` says in a soak. */
export const outageSeconds = Number(process.env["SOAK_OUTAGE_S"] ?? 8);
