/**
 * Counts the calls of methods of `target`, such as a prototype, while `run` runs. Shows how much work a function does,
 * where a clock would also measure the machine.
 */
export function countCalls<T extends object>(
  target: T,
  methods: readonly (keyof T & string)[],
  run: () => void,
): number {
  let calls = 0;
  const before = methods.map((name) => [name, Object.getOwnPropertyDescriptor(target, name)] as const);
  for (const name of methods) {
    const method = target[name] as (...args: unknown[]) => unknown;
    Object.defineProperty(target, name, {
      configurable: true,
      writable: true,
      value(this: unknown, ...args: unknown[]): unknown {
        calls++;
        return Reflect.apply(method, this, args);
      },
    });
  }
  try {
    run();
  } finally {
    for (const [name, descriptor] of before) {
      if (descriptor === undefined) Reflect.deleteProperty(target, name);
      else Object.defineProperty(target, name, descriptor);
    }
  }
  return calls;
}
