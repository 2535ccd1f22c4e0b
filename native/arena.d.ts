// biome-ignore lint/complexity/noBannedTypes: each function checks its own arguments
type AnyFunction = Function;

/** The functions in Rust, as they are without `main.js`. */
export type Addon = Readonly<Record<string, AnyFunction>> & { readonly arena: Uint8Array };

export declare const addon: Addon;
