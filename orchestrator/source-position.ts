/** Where in a YAML text a field is. */
import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  type LineCounter,
  type Node,
  type Pair,
  type ParsedNode,
  visit,
} from 'yaml';

export interface Position {
  readonly line: number;
  readonly column: number;
}

export type Locate = (path: readonly PropertyKey[], at: 'key' | 'value') => Position;

/** The position of a field; of a field that is missing, that of the nearest one around it. */
export function locateIn(document: Document.Parsed, lines: LineCounter): Locate {
  const position = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  return (path, at) => {
    let node: Node | null | undefined = document.contents;
    let key = node?.range?.[0] ?? 0;
    let value = key;
    for (const step of path) {
      const child = childOf(document, node, step);
      if (!child) return position(key);
      node = child.value;
      key = child.key?.range?.[0] ?? node?.range?.[0] ?? key;
      // `key:` with nothing after it has its value past the end of the line
      value = node && !(isScalar(node) && node.source === '') ? (node.range?.[0] ?? key) : key;
    }
    return position(at === 'key' ? key : value);
  };
}

interface Child {
  readonly key: Node | undefined;
  readonly value: Node | null | undefined;
}

function childOf(document: Document.Parsed, parent: Node | null | undefined, step: PropertyKey): Child | undefined {
  const node = isAlias(parent) ? parent.resolve(document) : parent;
  if (isSeq(node)) {
    const item = node.items[Number(step)];
    return item ? { key: undefined, value: item as Node } : undefined;
  }
  if (!isMap(node)) return undefined;
  const pairs = node.items as Pair<ParsedNode, ParsedNode | null>[];
  const pair = pairs.find(({ key }) => isScalar(key) && String(key.value) === String(step));
  if (pair) return { key: pair.key, value: pair.value };
  // merge keys: `<<: *base` or `<<: [*base, *more]`
  for (const { key, value } of pairs) {
    if (!isScalar(key) || key.source !== '<<') continue;
    for (const source of isSeq(value) ? value.items : [value]) {
      const child = childOf(document, source as Node | null, step);
      if (child) return child;
    }
  }
  return undefined;
}

/** Aliases whose anchor isn't there, which the parser leaves for later. */
export function danglingAliases(document: Document.Parsed): { name: string; offset: number }[] {
  const found: { name: string; offset: number }[] = [];
  visit(document, {
    Alias(_, alias) {
      if (!alias.resolve(document)) found.push({ name: alias.source, offset: alias.range?.[0] ?? 0 });
    },
  });
  return found;
}
