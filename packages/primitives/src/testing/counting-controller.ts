/** An AbortController that knows how many listeners are on its signal, to show that a wait leaves none behind. */
export class CountingController extends AbortController {
  readonly #listeners = new Map<unknown, { readonly once: boolean }>();

  constructor() {
    super();
    const { signal } = this;
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    signal.addEventListener = (...args: Parameters<typeof add>): void => {
      const [, listener, options] = args;
      this.#listeners.set(listener, { once: typeof options === 'object' && options.once === true });
      add(...args);
    };
    signal.removeEventListener = (...args: Parameters<typeof remove>): void => {
      this.#listeners.delete(args[1]);
      remove(...args);
    };
  }

  get listeners(): number {
    const left = [...this.#listeners.values()].filter(({ once }) => !(once && this.signal.aborted));
    return left.length;
  }
}
