export interface Platform {
  readonly name: string;
  readonly os: string;
  readonly cpu: string;
  readonly libc?: string;
  /** The target of cargo. */
  readonly target: string;
}

export declare const PLATFORMS: readonly Platform[];
export declare function platformsOf(os: string, cpu: string): readonly Platform[];
export declare function addonFile(platform: Platform): string;
export declare function platformPackage(platform: Platform): string;
