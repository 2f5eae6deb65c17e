/** A topic filter, some of whose levels have names. */
export interface TopicPattern {
  /** What the broker is asked for: each named level is a `+`. */
  readonly filter: string;
  /** In their order in the topic. */
  readonly names: readonly string[];
  /** What stands at the named levels of `topic`; undefined if the filter does not match it. */
  match(topic: string): ReadonlyMap<string, string> | undefined;
}

export type ParsedTopicPattern =
  | { readonly ok: true; readonly pattern: TopicPattern }
  | { readonly ok: false; readonly problem: string };

const named = /^\{([a-z][a-z0-9_]*)\}$/;
/** [MQTT-1.5.3-3] bytes of an encoded string. */
const maxBytes = 65_535;

/** `zigbee2mqtt/{device}`, `shellies/+/emeter/{phase}/power`, `plant/#` */
export function parseTopicPattern(text: string): ParsedTopicPattern {
  if (text === "") return refuse("a topic filter has at least one character");
  if (text.includes("\0") || Buffer.byteLength(text) > maxBytes)
    return refuse("this is no MQTT topic filter");
  const levels = text.split("/");
  const names: (string | undefined)[] = [];
  for (const [at, level] of levels.entries()) {
    const name = named.exec(level)?.[1];
    if (name === undefined && /[{}]/.test(level))
      return refuse(`"${level}": a name is a whole level of small letters, digits and _, as in {device}`);
    if (name === undefined && level.includes("+") && level !== "+")
      return refuse(`"${level}": a + stands for a whole level`);
    if (level.includes("#") && (level !== "#" || at < levels.length - 1))
      return refuse(`"${level}": a # stands alone at the end`);
    if (name !== undefined && names.includes(name)) return refuse(`the level {${name}} is there twice`);
    names.push(name);
  }
  return { ok: true, pattern: makePattern(levels, names) };
}

function refuse(problem: string): ParsedTopicPattern {
  return { ok: false, problem };
}

function makePattern(levels: readonly string[], names: readonly (string | undefined)[]): TopicPattern {
  const open = levels.at(-1) === "#";
  const fixed = open ? levels.length - 1 : levels.length;
  return {
    filter: levels.map((level, at) => (names[at] === undefined ? level : "+")).join("/"),
    names: names.filter((name) => name !== undefined),
    match(topic) {
      const parts = topic.split("/");
      if (open ? parts.length < fixed : parts.length !== fixed) return undefined;
      // [MQTT-4.7.2-1] a wildcard at the beginning does not stand for $SYS and its like.
      if (topic.startsWith("$") && levels[0] !== parts[0]) return undefined;
      const found = new Map<string, string>();
      for (let at = 0; at < fixed; at++) {
        const name = names[at];
        if (name !== undefined) found.set(name, parts[at]!);
        else if (levels[at] !== "+" && levels[at] !== parts[at]) return undefined;
      }
      return found;
    },
  };
}
