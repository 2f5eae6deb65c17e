export { type EdgeAgent, type EdgeAgentOptions, openEdgeAgent } from "./agent.ts";
export { EdgeAgentConfig } from "./config.ts";
export type { EdgeAgentStats } from "./stats.ts";
