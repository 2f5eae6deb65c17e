import manifest from "../package.json" with { type: "json" };

/** The agent's version, as its births tell it. */
export const agentVersion: string = manifest.version;
