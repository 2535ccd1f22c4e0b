export interface AdmissionOptions {
  /** `limits.connections`. */
  readonly connections: number;
  /** `limits.connectionsPerAddress`; null is unlimited. It does not apply to loopback. */
  readonly connectionsPerAddress: number | null;
}

/** Limits the live connections, in total and by address. */
export interface Admission {
  /** Returns a place, which `leave` releases, or undefined when the limit is reached. */
  enter(address: string, loopback: boolean): { leave(): void } | undefined;
  readonly size: number;
}

export function createAdmission(options: AdmissionOptions): Admission {
  const byAddress = new Map<string, number>();
  let size = 0;
  return {
    enter(address, loopback) {
      if (size >= options.connections) return undefined;
      const here = byAddress.get(address) ?? 0;
      if (!loopback && options.connectionsPerAddress !== null && here >= options.connectionsPerAddress)
        return undefined;
      size++;
      byAddress.set(address, here + 1);
      let left = false;
      return {
        leave() {
          if (left) return;
          left = true;
          size--;
          const rest = (byAddress.get(address) ?? 1) - 1;
          if (rest === 0) byAddress.delete(address);
          else byAddress.set(address, rest);
        },
      };
    },
    get size() {
      return size;
    },
  };
}
