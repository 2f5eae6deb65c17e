/** How often fault tests kill: twice in every run, as often as `SOAK_KILLS` says in a soak. */
export const kills = Number(process.env["SOAK_KILLS"] ?? 2);
