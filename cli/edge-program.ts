import packageJson from "../package.json" with { type: "json" };
import { edgeCommand } from "./edge.ts";
import { runProgram } from "./report.ts";

/** `marsad-edge`: the agent alone, as the package for gateways has it. `marsad-edge run …` is `marsad-edge …`. */
const args = process.argv.slice(2);
const program = edgeCommand().name("marsad-edge").version(packageJson.version);
await runProgram(program, args[0] === "run" ? args.slice(1) : args, process.env);
