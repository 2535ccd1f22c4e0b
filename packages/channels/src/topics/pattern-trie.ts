import { STAR } from './segment-ids.ts';

/** What a pattern leads to. */
export interface PatternEntry<Value> {
  readonly values: Set<Value>;
}

/** A pattern with wildcards as segment ids, without its last `>`. */
export interface PatternKey {
  readonly ids: readonly number[];
  /** True for a last `>`: one or more segments follow. */
  readonly open: boolean;
}

/** The patterns with wildcards, by segment. */
export interface PatternTrie<Value> {
  /** The pattern must not be there yet. */
  insert(key: PatternKey, entry: PatternEntry<Value>): void;
  /** Takes a pattern out, and the branches that led to it alone. */
  remove(key: PatternKey): void;
  /** Appends the entry of every pattern that matches the topic. */
  collect(topic: readonly number[], found: PatternEntry<Value>[]): void;
}

export function createPatternTrie<Value>(): PatternTrie<Value> {
  return new SegmentTrie();
}

/**
 * A branch that carries a single pattern is not spelt out in nodes: it is a leaf, compared in one loop over
 * numbers. That keeps even hostile patterns cheap, which differ only at their ends.
 */
interface Node<Value> {
  readonly leaf: false;
  literals: Map<number, Branch<Value>> | undefined;
  star: Branch<Value> | undefined;
  here: PatternEntry<Value> | undefined;
  rest: PatternEntry<Value> | undefined;
}

interface Leaf<Value> {
  readonly leaf: true;
  /** The whole pattern: it is compared from where the leaf hangs. */
  readonly key: PatternKey;
  readonly entry: PatternEntry<Value>;
}

type Branch<Value> = Node<Value> | Leaf<Value>;

class SegmentTrie<Value> implements PatternTrie<Value> {
  readonly #root: Node<Value> = createNode();

  insert(key: PatternKey, entry: PatternEntry<Value>): void {
    hang(this.#root, 0, { leaf: true, key, entry });
  }

  remove(key: PatternKey): void {
    take(this.#root, 0, key);
  }

  collect(topic: readonly number[], found: PatternEntry<Value>[]): void {
    visit(this.#root, 0, topic, found);
  }
}

function createNode<Value>(): Node<Value> {
  return { leaf: false, literals: undefined, star: undefined, here: undefined, rest: undefined };
}

function hang<Value>(root: Node<Value>, from: number, leaf: Leaf<Value>): void {
  const { ids, open } = leaf.key;
  let node = root;
  for (let at = from; ; at++) {
    const id = ids[at];
    if (id === undefined) {
      if (open) node.rest = leaf.entry;
      else node.here = leaf.entry;
      return;
    }
    const branch = id === STAR ? node.star : node.literals?.get(id);
    if (branch === undefined) {
      setBranch(node, id, leaf);
      return;
    }
    if (branch.leaf) {
      const grown = createNode<Value>();
      hang(grown, at + 1, branch);
      setBranch(node, id, grown);
      node = grown;
    } else {
      node = branch;
    }
  }
}

function take<Value>(node: Node<Value>, at: number, key: PatternKey): void {
  const id = key.ids[at];
  if (id === undefined) {
    if (key.open) node.rest = undefined;
    else node.here = undefined;
    return;
  }
  const branch = id === STAR ? node.star : node.literals?.get(id);
  if (branch === undefined) return;
  if (branch.leaf) {
    setBranch(node, id, undefined);
    return;
  }
  take(branch, at + 1, key);
  if (isEmpty(branch)) setBranch(node, id, undefined);
}

function visit<Value>(
  node: Node<Value>,
  at: number,
  topic: readonly number[],
  found: PatternEntry<Value>[],
): void {
  if (at === topic.length) {
    if (node.here !== undefined) found.push(node.here);
    return;
  }
  if (node.rest !== undefined) found.push(node.rest);
  if (node.literals !== undefined) {
    const branch = node.literals.get(topic[at] as number);
    if (branch !== undefined) enter(branch, at + 1, topic, found);
  }
  if (node.star !== undefined) enter(node.star, at + 1, topic, found);
}

function enter<Value>(
  branch: Branch<Value>,
  at: number,
  topic: readonly number[],
  found: PatternEntry<Value>[],
): void {
  if (!branch.leaf) {
    visit(branch, at, topic, found);
    return;
  }
  const { ids, open } = branch.key;
  if (open ? topic.length <= ids.length : topic.length !== ids.length) return;
  for (let index = at; index < ids.length; index++) {
    const id = ids[index];
    if (id !== STAR && id !== topic[index]) return;
  }
  found.push(branch.entry);
}

function setBranch<Value>(node: Node<Value>, id: number, branch: Branch<Value> | undefined): void {
  if (id === STAR) {
    node.star = branch;
  } else if (branch !== undefined) {
    node.literals ??= new Map();
    node.literals.set(id, branch);
  } else if (node.literals?.delete(id) === true && node.literals.size === 0) {
    node.literals = undefined;
  }
}

function isEmpty<Value>({ literals, star, here, rest }: Node<Value>): boolean {
  return literals === undefined && star === undefined && here === undefined && rest === undefined;
}
