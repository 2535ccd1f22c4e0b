import { finishesWithin } from '@esdb-gater/primitives';
import { systemClock } from '@esdb-gater/types';
import { isSupported, type SuiteCase, type SuiteReport } from '../suite-case.ts';

/** The outcome of one case. */
export interface CaseResult {
  readonly title: string;
  readonly outcome: 'passed' | 'failed' | 'not supported';
  /** Why it failed, or what it needs. */
  readonly reason?: string;
}

export interface RunOptions {
  /** Runs only cases whose title contains this text. */
  readonly only?: string | undefined;
  /** How long a case may take. */
  readonly timeoutMs: number;
}

/** Runs the cases one after the other and yields each outcome as soon as it is known. Never rejects. */
export async function* runCases(
  report: SuiteReport,
  { only = '', timeoutMs }: RunOptions,
): AsyncGenerator<CaseResult> {
  for (const one of report.cases) {
    const { title, needs } = one;
    if (!title.includes(only)) continue;
    if (!isSupported(one, report)) {
      const missing = needs.filter((need) => report.supports[need] !== true);
      yield { title, outcome: 'not supported', reason: `needs ${missing.join(', ')}` };
      continue;
    }
    const reason = await failureOf(one, timeoutMs);
    yield reason === undefined ? { title, outcome: 'passed' } : { title, outcome: 'failed', reason };
  }
}

/** Runs one case. Resolves to why it failed; undefined when it passed. */
async function failureOf({ run }: SuiteCase, timeoutMs: number): Promise<string | undefined> {
  let reason: string | undefined;
  const ended = run().catch((error: unknown) => {
    reason = describe(error);
  });
  const inTime = await finishesWithin(ended, timeoutMs, systemClock);
  return inTime ? reason : `did not end within ${timeoutMs} ms`;
}

function describe(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
