import { z } from "zod";

export const Role = z.enum(["viewer", "operator", "analyst", "admin"]);
export type Role = z.infer<typeof Role>;

/** What a role is for, and whose routes it may ask: a route names the role whose right it needs. docs/users.md has this table. */
interface RoleRights {
  readonly may: readonly Role[];
  readonly words: string;
}

/**
 * Sets, not a ladder: whoever repairs gateways has no need to keep the store busy for minutes with a year's forecast, and an analyst none to send refused
 * readings into the store again. Each holds what its work takes; only `admin` holds all.
 */
export const roles: Readonly<Record<Role, RoleRights>> = {
  viewer: {
    may: ["viewer"],
    words: "reads all that dashboards show: readings, queries, sensors, ledgers, dead letters, metrics",
  },
  operator: {
    may: ["viewer", "operator"],
    words: "also acts on what comes in: sends dead letters through again",
  },
  analyst: {
    may: ["viewer", "analyst"],
    words: "also asks what costs much: forecasts",
  },
  admin: { may: ["viewer", "operator", "analyst", "admin"], words: "everything" },
};

/** May a `role` ask a route that says `config: { access }`? */
export function mayAsk(role: Role, access: Role): boolean {
  return roles[role].may.includes(access);
}

/** The roles that may ask a route with this access. */
export function rolesThatMay(access: Role): Role[] {
  return Role.options.filter((role) => mayAsk(role, access));
}
