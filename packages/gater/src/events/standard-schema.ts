/**
 * The interface of validators that https://standardschema.dev describes. Zod, Valibot, ArkType and others implement it, so
 * that this package depends on none of them.
 */
export interface StandardSchemaV1<Input = unknown, Output = Input> {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => StandardResult<Output> | Promise<StandardResult<Output>>;
    /** Only for the compiler. */
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
  };
}

export type StandardResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly StandardIssue[] };

export interface StandardIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** Returns the issues as texts: `name.first: must be a string`. At most ten, as they go into an error. */
export function describeIssues(issues: readonly StandardIssue[]): readonly string[] {
  return issues.slice(0, 10).map(({ message, path = [] }) => {
    const where = path.map((key) => String(typeof key === 'object' ? key.key : key)).join('.');
    return where === '' ? message : `${where}: ${message}`;
  });
}
