/** The terminal that shows the progress. Tests replace it. */
export interface ProgressScreen {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

export interface Progress {
  /**
   * Shows `done` of `total`, such as bytes; undefined when the total is not known.
   *
   * @param count of what is counted for people
   */
  update(done: number, total: number | undefined, count: number): void;
  /** Removes the bar. */
  end(): void;
}

const REDRAW_MS = 100;
const BAR_COLUMNS = 24;

/**
 * Creates a progress bar for a terminal. Elsewhere it shows nothing, so that logs stay readable.
 *
 * @param noun what is counted
 */
export function createProgress(screen: ProgressScreen, now: () => number, noun = 'events'): Progress {
  if (screen.isTTY !== true) return { update() {}, end() {} };
  const startedAt = now();
  let drawnAt = Number.NEGATIVE_INFINITY;
  return {
    update(done, total, count) {
      const at = now();
      if (at - drawnAt < REDRAW_MS) return;
      drawnAt = at;
      const seconds = Math.max((at - startedAt) / 1_000, 0.001);
      const rate = `${count} ${noun}, ${Math.round(count / seconds)}/s`;
      const text =
        total === undefined || total === 0
          ? rate
          : `${bar(done / total)} ${rate}${left(done, total, seconds)}`;
      screen.write(`\r\u001b[K${text.slice(0, (screen.columns ?? 80) - 1)}`);
    },
    end() {
      screen.write('\r\u001b[K');
    },
  };
}

function bar(share: number): string {
  const clamped = Math.min(Math.max(share, 0), 1);
  const full = Math.round(clamped * BAR_COLUMNS);
  return `[${'='.repeat(full)}${' '.repeat(BAR_COLUMNS - full)}] ${Math.floor(clamped * 100)} %`;
}

function left(done: number, total: number, seconds: number): string {
  if (done <= 0 || done >= total) return '';
  return `, ${Math.ceil((seconds / done) * (total - done))} s left`;
}
