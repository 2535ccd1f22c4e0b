/** The medians of one contestant, by the name of the figure. */
export interface Entry {
  readonly isPeer: boolean;
  readonly medians: Readonly<Record<string, number>>;
}

/** What a run of a bench measured: by scenario and contestant. */
export type Figures = Readonly<Record<string, Readonly<Record<string, Entry>>>>;

let kept: Record<string, Record<string, Entry>> = {};

/** Keeps the medians of a contestant in a scenario until {@link takeFigures}. */
export function keepFigures(
  scenario: string,
  name: string,
  isPeer: boolean,
  medians: Entry['medians'],
): void {
  kept[scenario] = { ...kept[scenario], [name]: { isPeer, medians } };
}

/** Returns what was kept since the last call. */
export function takeFigures(): Figures {
  const taken = kept;
  kept = {};
  return taken;
}

/** Whether a larger value of a figure is the better one: rates are, times, CPU and memory are not. */
export function isRate(figure: string): boolean {
  return figure.endsWith('PerSecond');
}

/**
 * Returns how good every figure of this project's contestants is, by `scenario / contestant / figure`, larger is better.
 * Where peers have the same figure it is a ratio to their geometric mean, which a slower machine does not change;
 * elsewhere it is the rate, or one over the cost. A cost of zero is left out.
 */
export function advantages(figures: Figures): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  for (const [scenario, entries] of Object.entries(figures)) {
    const peers = Object.values(entries).filter(({ isPeer }) => isPeer);
    for (const [name, { isPeer, medians }] of Object.entries(entries)) {
      if (isPeer) continue;
      for (const [figure, value] of Object.entries(medians)) {
        const theirs = peers
          .map((peer) => peer.medians[figure])
          .filter((one) => one !== undefined && one > 0);
        const ratio = value / geometricMean(theirs as number[]);
        if (value > 0) found.set(`${scenario} / ${name} / ${figure}`, isRate(figure) ? ratio : 1 / ratio);
      }
    }
  }
  return found;
}

/** Of no value it is 1. */
function geometricMean(values: readonly number[]): number {
  return values.length === 0
    ? 1
    : Math.exp(values.reduce((sum, one) => sum + Math.log(one), 0) / values.length);
}
