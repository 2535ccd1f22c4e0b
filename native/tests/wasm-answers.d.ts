import type { WasmEngine } from '../wasm.js';

type Hex = string;

export interface Vectors {
  readonly rfc4231: readonly (readonly [Hex, Hex, Hex])[];
  readonly rfc8032: readonly (readonly [Hex, Hex, Hex, Hex])[];
  readonly bitcoinCore: readonly (readonly [Hex, string])[];
  /** Signed by the first key of `rfc8032`. */
  readonly token: string;
}

export declare function answersOf(engine: WasmEngine, vectors: Vectors): Readonly<Record<string, unknown>>;
