/** The parts of a Babel node that the mutators look at. */
interface BabelNode {
  readonly type: string;
  readonly value?: unknown;
  readonly key?: unknown;
  readonly expression?: BabelNode;
  readonly callee?: BabelNode;
  readonly start?: number | null;
  readonly quasis?: readonly { readonly value: { readonly raw: string } }[];
}

/** The parts of a Babel path that the mutators look at. */
export interface BabelPath {
  readonly node: BabelNode;
  readonly parent: BabelNode | undefined;
  readonly hub?: { readonly file?: { readonly opts?: { readonly filename?: string | null } } };
}

/** A mutator as Stryker's instrumenter calls it: yields replacements for the node of a path. */
export interface Mutator {
  readonly name: string;
  mutate(path: BabelPath, ...context: readonly unknown[]): Iterable<object>;
}

// Two words with a blank between them. Codes, reasons, keys, topics and prefixes of signed texts have none.
const SENTENCE = /[\p{L}\p{N}] +[\p{L}\p{N}]/u;
const SQL =
  /^\s*(?:select|insert|update|delete|create|alter|drop|with|pragma|begin|commit|attach|vacuum|savepoint)\b/i;

/**
 * Returns the mutator without the mutants that only reword a sentence for people: the texts of errors, logs and
 * descriptions. They may change at any time, so no test asserts them. Statements of SQL are behaviour and stay.
 */
export function withoutWording(mutator: Mutator): Mutator {
  if (mutator.name !== 'StringLiteral') return mutator;
  return {
    ...mutator,
    *mutate(path, ...context) {
      if (!isWording(path.node)) yield* mutator.mutate(path, ...context);
    },
  };
}

function isWording({ value, quasis }: BabelNode): boolean {
  const text = typeof value === 'string' ? value : (quasis ?? []).map((part) => part.value.raw).join('x');
  return SENTENCE.test(text) && !SQL.test(text);
}

/** Adds one to a number. Bounds, defaults and exit codes are numbers, which Stryker leaves alone. */
const numberPlusOne: Mutator = {
  name: 'NumberPlusOne',
  *mutate({ node, parent }) {
    if (node.type !== 'NumericLiteral' || typeof node.value !== 'number') return;
    const isName = parent?.key === node;
    if (!isName) yield { type: 'NumericLiteral', value: node.value + 1 };
  },
};

const REMOVABLE: ReadonlySet<string> = new Set([
  'ExpressionStatement',
  'ThrowStatement',
  'BreakStatement',
  'ContinueStatement',
]);

/** Removes one statement. Stryker removes only whole blocks. */
const statementRemoval: Mutator = {
  name: 'StatementRemoval',
  *mutate({ node }) {
    // A constructor without `super()` does not run at all.
    const isSuper = node.expression?.type === 'CallExpression' && node.expression.callee?.type === 'Super';
    if (REMOVABLE.has(node.type) && !isSuper) yield { type: 'BlockStatement', body: [], directives: [] };
  },
};

/** The mutators that this project adds to those of Stryker. */
export const OWN_MUTATORS: readonly Mutator[] = [numberPlusOne, statementRemoval];
