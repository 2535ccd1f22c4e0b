export interface AdmissionOptions {
  /** `limits.connections`. */
  readonly connections: number;
  /** `limits.connectionsPerAddress`; null is unlimited. Loopback is not counted. */
  readonly connectionsPerAddress: number | null;
}

/** Counts the live connections, in all and by address. */
export interface Admission {
  /** A place that is given back by `leave`, or undefined when there is none. */
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
