import { readFile } from "node:fs/promises";
import { LineCounter, type Node, isMap, isNode, isScalar, isSeq, parseDocument } from "yaml";
import { MarsadError } from "./errors.ts";

/** A YAML file's keys and values, which knows where each stands. */
export interface ConfigFile {
  readonly values: Readonly<Record<string, unknown>>;
  /** `platform.yaml:3` of the key at `path`, or of the deepest part of it that the file has. */
  readonly where: (path: readonly PropertyKey[]) => string;
}

/** @throws MarsadError CONFIG_INVALID, with the line */
export async function readConfigFile(file: string): Promise<ConfigFile> {
  try {
    return parseConfigFile(await readFile(file, "utf8"), file);
  } catch (error) {
    if (error instanceof MarsadError) throw error;
    throw new MarsadError("CONFIG_INVALID", `${file} cannot be read: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

/** @throws MarsadError CONFIG_INVALID, whatever the text is */
export function parseConfigFile(text: string, file: string): ConfigFile {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter, logLevel: "error" });
  const [error] = document.errors;
  if (error !== undefined)
    throw refuse(`${file}:${lineCounter.linePos(error.pos[0]).line}`, firstLine(error.message), error);
  const top = document.contents;
  if (top !== null && !isMap(top))
    throw refuse(`${file}:1`, "this is no list of keys, such as `mqtt: 127.0.0.1:1883`");

  const where = (path: readonly PropertyKey[]): string => {
    let node: unknown = top;
    let at: Node | undefined;
    for (const part of path) {
      const found = childOf(node, part);
      if (found === undefined) break;
      [at, node] = found;
    }
    return at?.range ? `${file}:${lineCounter.linePos(at.range[0]).line}` : file;
  };
  try {
    return { values: (document.toJS() ?? {}) as Record<string, unknown>, where };
  } catch (error) {
    // Aliases that grow without end, or of nothing.
    throw refuse(file, (error as Error).message, error);
  }
}

/** The key or entry called `part` in a YAML node, and its value. */
function childOf(node: unknown, part: PropertyKey): [at: Node, value: unknown] | undefined {
  if (isMap(node)) {
    const pair = node.items.find(({ key }) => String(isScalar(key) ? key.value : key) === String(part));
    return pair !== undefined && isNode(pair.key) ? [pair.key, pair.value] : undefined;
  }
  if (isSeq(node) && typeof part === "number") {
    const item = node.items[part];
    return isNode(item) ? [item, item] : undefined;
  }
  return undefined;
}

/** The parser's message goes on with a drawing of the place. */
function firstLine(message: string): string {
  return message.split("\n", 1)[0]!.replace(/ at line \d+, column \d+:$/, "");
}

function refuse(where: string, why: string, cause?: unknown): MarsadError {
  return new MarsadError("CONFIG_INVALID", `${where}: ${why}`, { cause });
}
