import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';
import { describe, test } from 'vitest';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome'];

const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** The first Chromium on the PATH. */
function findChromium(): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  return NAMES.flatMap((name) => folders.map((folder) => join(folder, name))).find((file) =>
    existsSync(file),
  );
}

/** Returns true when this machine has a Chromium. */
export function hasChromium(): boolean {
  return findChromium() !== undefined;
}

/** What Playwright passes to Chromium although browsers of users do not have it. */
const WITHOUT_PAGE_CACHE = '--disable-back-forward-cache';

/**
 * Starts the Chromium of this machine. `keepsPages`: pages that the user leaves stay in the back/forward cache, as in the
 * browser of a user.
 *
 * @throws Error when there is none
 */
export function startChromium({
  keepsPages = false,
}: {
  readonly keepsPages?: boolean;
} = {}): Promise<Browser> {
  const executablePath = findChromium();
  if (executablePath === undefined) throw new Error('no chromium is on the PATH: apt-get install chromium');
  return chromium.launch({
    executablePath,
    args: FLAGS,
    ...(keepsPages ? { ignoreDefaultArgs: [WITHOUT_PAGE_CACHE] } : {}),
  });
}

/**
 * A suite that needs a real browser. Without a browser it is a skipped test with the reason; with `CI=true`, where a
 * browser must be installed, it fails.
 */
export function describeInChromium(name: string, suite: () => void): void {
  if (hasChromium() || process.env['CI'] === 'true') {
    describe(name, suite);
    return;
  }
  describe(name, () => {
    test.skip('needs chromium on the PATH', () => undefined);
  });
}
