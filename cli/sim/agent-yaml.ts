import { Document, isScalar, visit } from "yaml";

/** A part of agents' configurations as YAML, a device or register on a line. */
export function agentYaml(part: object): string {
  const document = new Document(part, { aliasDuplicateObjects: false });
  visit(document, {
    Map: (_key, map) => {
      map.flow = map.items.length > 0 && map.items.every(({ value }) => isScalar(value));
    },
  });
  return document.toString({ lineWidth: 0 });
}
