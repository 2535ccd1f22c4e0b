export interface Platform {
  readonly os: string;
  readonly cpu: string;
}

/** The error that `checkBinary` throws. */
export interface BinaryError extends Error {
  readonly code: 'ERR_NATIVE_BINARY';
}

export declare function checkBinary(file: string, platform: Platform): void;
