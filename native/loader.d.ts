import type { Platform } from './binary.js';

export interface LoaderComponents {
  readonly require: (id: string) => unknown;
  readonly version: string;
  readonly os: string;
  readonly cpu: string;
}

export interface Attempt {
  /** A file or a package. */
  readonly candidate: string;
  readonly error: unknown;
}

/** The error that `loadAddon` throws. */
export interface AddonError extends Error {
  readonly code: 'ERR_NATIVE_ADDON';
  readonly attempts: readonly Attempt[];
}

export declare function checkingRequire(require: NodeJS.Require, platform: Platform): (id: string) => unknown;

export declare function loadAddon(components: LoaderComponents): unknown;
