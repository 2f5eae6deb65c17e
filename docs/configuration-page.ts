import { z } from "zod";

export interface Program {
  readonly command: string;
  readonly about: string;
  readonly schema: z.ZodType;
}

/** The parts of a JSON Schema that a key's row is made of; `env`, `unit` and `secret` come from the schema's `meta()`. */
interface Node {
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly properties?: Readonly<Record<string, Node>>;
  /** False closes a tuple. */
  readonly items?: Node | false;
  /** Of a map with free keys. */
  readonly additionalProperties?: Node | boolean;
  readonly anyOf?: readonly Node[];
  readonly oneOf?: readonly Node[];
  readonly required?: readonly string[];
  readonly default?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly description?: string;
  readonly env?: string;
  readonly unit?: string;
}

interface Row {
  readonly key: string;
  readonly node: Node;
  readonly required: boolean;
}

const header = `# Configuration

Made by \`npm run docs\` from the schemas in the code; do not edit. A key stands in the YAML file given with \`--config\`, in its
environment variable (\`NAME_FILE\` names a file that holds the value, which is how secrets come), or, where one word can say it, in the
flag of its name: \`log_level\` is \`--log-level\`. Flags win over the environment, the environment over the file; an unknown key refuses
to start. A key of a group is written inside it: \`batch.max_bytes\` is \`max_bytes\` below \`batch:\`, and \`inputs[].listen\` a key of each
entry of the list \`inputs\`; a \`*\` stands for a name of your own.
`;

/** Bounds that are the program's own, by name. */
export type Limits = Readonly<Record<string, { readonly value: number; readonly description: string }>>;

/** docs/configuration.md: one table a program, and the broker's bounds. */
export function configurationPage(programs: readonly Program[], limits: Limits): string {
  return [header, ...programs.map(section), limitsSection(limits)].join("\n");
}

function limitsSection(limits: Limits): string {
  const about = "Bounds of the broker that cannot be configured: what a gateway meets when it does more.";
  const head = ["| bound | value | |", "|---|---|---|"];
  const lines = Object.entries(limits).map(
    ([name, { value, description }]) => `| \`${name}\` | ${quantity(name, value)} | ${escape(description)} |`,
  );
  return `## The broker's bounds\n\n${about}\n\n${[...head, ...lines].join("\n")}\n`;
}

function quantity(name: string, value: number): string {
  if (name.endsWith("_ms")) return `${value / 1000} s`;
  if (!name.endsWith("Bytes")) return String(value);
  return value >= 2 ** 20 ? `${value / 2 ** 20} MiB` : `${value / 2 ** 10} KiB`;
}

function section({ command, about, schema }: Program): string {
  const root = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }) as Node;
  const lines = rowsOf(root, "").map(({ key, node, required }) => {
    const cells = [
      `\`${key}\``,
      node.env ? `\`${node.env}\`` : "",
      valuesOf(node),
      defaultOf(node, required),
    ];
    return `| ${[...cells, node.description ?? ""].map(escape).join(" | ")} |`;
  });
  const head = ["| key | environment | value | default | |", "|---|---|---|---|---|"];
  return `## ${command}\n\n${about}\n\n${[...head, ...lines].join("\n")}\n`;
}

function rowsOf(node: Node, prefix: string): Row[] {
  return Object.entries(node.properties ?? {}).flatMap(([name, child]) => {
    const key = prefix + name;
    const required = node.required?.includes(name) === true && child.default === undefined;
    if (child.properties) return rowsOf(child, `${key}.`);
    if (typeof child.additionalProperties === "object" && child.additionalProperties.properties)
      return [{ key, node: child, required }, ...rowsOf(child.additionalProperties, `${key}.*.`)];
    const items = child.items ? (child.items.oneOf ?? child.items.anyOf ?? [child.items]) : [];
    const members = items.flatMap((item) => rowsOf(item, `${key}[].`));
    return [{ key, node: child, required }, ...members];
  });
}

function valuesOf(node: Node): string {
  const unit = node.unit ? ` ${node.unit}` : "";
  const options = node.anyOf ?? node.oneOf;
  if (node.enum) return node.enum.map((value) => `\`${String(value)}\``).join(", ");
  if (node.const !== undefined) return `\`${JSON.stringify(node.const)}\``;
  if (options) return [...new Set(options.map(valuesOf))].join(" or ") + unit;
  if (node.type === "array") return "list";
  if (node.type === "object") return "map";
  const type = Array.isArray(node.type) ? node.type.join(" or ") : String(node.type ?? "any");
  return type + boundsOf(node) + unit;
}

function boundsOf({ minimum, exclusiveMinimum, maximum }: Node): string {
  const high = maximum === Number.MAX_SAFE_INTEGER ? undefined : maximum;
  if (exclusiveMinimum !== undefined)
    return ` > ${exclusiveMinimum}${high === undefined ? "" : `, <= ${high}`}`;
  if (minimum !== undefined && high !== undefined) return ` ${minimum}..${high}`;
  if (minimum !== undefined) return ` >= ${minimum}`;
  return high === undefined ? "" : ` <= ${high}`;
}

function defaultOf(node: Node, required: boolean): string {
  if (node.default !== undefined) return `\`${JSON.stringify(node.default)}\``;
  return required ? "must be given" : "";
}

function escape(cell: string): string {
  return cell.replaceAll("|", "\\|").replaceAll("\n", " ");
}
