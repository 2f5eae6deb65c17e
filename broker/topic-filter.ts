/** MQTT 3.1.1, 4.7: does `filter` match `topic`? Wildcards in first place do not match topics that begin with `$`. */
export function filterMatches(filter: string, topic: string): boolean {
  if (topic.startsWith("$") && (filter.startsWith("+") || filter.startsWith("#"))) return false;
  let at = 0; // in topic; topic.length + 1 when no level is left
  for (let from = 0; from <= filter.length;) {
    const to = levelEnd(filter, from);
    if (to === from + 1 && filter[from] === "#") return true; // also matches the parent level
    if (at > topic.length) return false;
    const end = levelEnd(topic, at);
    const plus = to === from + 1 && filter[from] === "+";
    if (!plus && (end - at !== to - from || !topic.startsWith(filter.slice(from, to), at))) return false;
    at = end + 1;
    from = to + 1;
  }
  return at > topic.length;
}

function levelEnd(text: string, from: number): number {
  const slash = text.indexOf("/", from);
  return slash === -1 ? text.length : slash;
}

interface Node<V> {
  readonly children: Map<string, Node<V>>;
  readonly values: Map<string, V>;
}

/** Filters and the values kept under them, by a key each; answers which values' filters match a topic. */
export class FilterTrie<V> {
  #root: Node<V> = emptyNode();

  /** Puts `value` under `filter`; a former one with the same key there is replaced. */
  set(filter: string, key: string, value: V): void {
    let node = this.#root;
    for (const level of filter.split("/")) {
      let child = node.children.get(level);
      if (child === undefined) {
        child = emptyNode();
        node.children.set(level, child);
      }
      node = child;
    }
    node.values.set(key, value);
  }

  /** Does nothing when it is not there. */
  delete(filter: string, key: string): void {
    const path: { parent: Node<V>; level: string }[] = [];
    let node = this.#root;
    for (const level of filter.split("/")) {
      const child = node.children.get(level);
      if (child === undefined) return;
      path.push({ parent: node, level });
      node = child;
    }
    node.values.delete(key);
    for (const { parent, level } of path.toReversed()) {
      const child = parent.children.get(level);
      if (child === undefined || child.values.size > 0 || child.children.size > 0) return;
      parent.children.delete(level);
    }
  }

  /** The values of every filter that matches `topic`; a key under several of them comes several times. */
  match(topic: string): V[] {
    const found: V[] = [];
    collect(this.#root, topic.split("/"), 0, found);
    return found;
  }
}

function emptyNode<V>(): Node<V> {
  return { children: new Map(), values: new Map() };
}

function collect<V>(node: Node<V>, levels: readonly string[], depth: number, found: V[]): void {
  const wildcards = depth > 0 || !(levels[0] ?? "").startsWith("$");
  if (wildcards) found.push(...(node.children.get("#")?.values.values() ?? []));
  const level = levels[depth];
  if (level === undefined) {
    found.push(...node.values.values());
    return;
  }
  const exact = node.children.get(level);
  // A topic has no wildcards; a level "#" or "+" in one must not find a filter's.
  if (exact !== undefined && level !== "#" && level !== "+") collect(exact, levels, depth + 1, found);
  const any = node.children.get("+");
  if (any !== undefined && wildcards) collect(any, levels, depth + 1, found);
}
