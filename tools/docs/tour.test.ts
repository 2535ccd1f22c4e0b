// Runs the commands in the documents word by word, at a terminal, and compares their output with the output in the documents.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hasChromium, startChromium } from '../../apps/gateway/tests/browser/chromium.ts';
import { masked } from './expected-output.ts';
import { type FencedBlock, fencedBlocks } from './fenced-blocks.ts';
import { openShellSession, type ShellSession, shellUnavailable } from './shell-session.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const read = (document: string): string => readFileSync(join(ROOT, document), 'utf8');
const blocksOf = (document: string): FencedBlock[] => fencedBlocks(read(document));
const manifest = JSON.parse(read('package.json')) as {
  readonly repository: { readonly url: string };
  readonly scripts: { readonly start: string };
};

/** Commands, and the following block with their output. */
interface Step {
  readonly commands: FencedBlock;
  readonly output: FencedBlock | undefined;
}

function stepsOf(blocks: readonly FencedBlock[], isRun: (block: FencedBlock) => boolean): Step[] {
  return blocks.flatMap((commands, index) => {
    if (commands.language !== 'sh' || !isRun(commands)) return [];
    const next = blocks[index + 1];
    return [{ commands, output: next?.follows === true && next.language === 'text' ? next : undefined }];
  });
}

const readme = blocksOf('README.md');
const tour = readme.filter(({ section }) => section === 'A tour');
const setup = tour.find(({ flags }) => flags.includes('setup'));
/** The output of the third terminal, which a block shows after commands in the second. */
const third = tour.find(({ language, flags }) => language === 'text' && flags.includes('third'));

const TOURS = [
  { name: 'the tour of the README', steps: stepsOf(tour, (block) => block !== setup), least: 9 },
  {
    name: 'the commands of SECURITY.md',
    steps: stepsOf(blocksOf('SECURITY.md'), ({ flags }) => flags.includes('run')),
    least: 1,
  },
];

for (const { name, steps, least } of TOURS) {
  describe.skipIf(shellUnavailable() !== undefined)(name, () => {
    let session: ShellSession;
    let thirdTerminal: (() => string) | undefined;
    beforeAll(async () => {
      session = await openShellSession();
    });
    afterAll(() => session?.close());

    test('begins with the output of the gateway at a terminal', () => {
      const welcome = readme.find(({ flags }) => flags.includes('welcome'))?.text ?? '';
      expect(welcome).toContain('esdb-gater is ready');
      const screen = masked(session.screen());
      expect(screen.slice(screen.indexOf('esdb-gater is ready'))).toBe(masked(welcome.trimStart()));
    });

    for (const { commands, output } of steps) {
      const title = commands.text.replaceAll('\n', ' ⏎ ');
      const runs = async (): Promise<void> => {
        const { exitCode, output: printed } = await session.run(commands.text);
        expect(exitCode, printed).toBe(0);
        expect(masked(printed)).toBe(masked(output?.text ?? ''));
      };
      if (commands.flags.includes('third')) {
        test(title, () => {
          thirdTerminal = session.keepRunning(commands.text);
        });
      } else if (commands.flags.includes('dashboard')) {
        test.skipIf(!hasChromium() && process.env['CI'] !== 'true')(title, () =>
          withDashboard(session, runs),
        );
      } else test(title, runs);
    }

    test('ends with what the third terminal has printed', async () => {
      if (thirdTerminal === undefined) return;
      const printed = thirdTerminal;
      await expect.poll(() => masked(printed()), { timeout: 10_000 }).toContain(masked(third?.text ?? '-'));
    });

    test('has commands', () => expect(steps.length).toBeGreaterThanOrEqual(least));
  });
}

/** Opens the dashboard at the address of the README, appends, and expects the event where the README says. */
async function withDashboard(session: ShellSession, append: () => Promise<void>): Promise<void> {
  const text = read('README.md');
  const [, address = ''] = /Open <(http:[^>]+)> in a browser/.exec(text) ?? [];
  const [, type = '', list = ''] = /^`(\w+)` appears by itself under "([^"]+)"/m.exec(text) ?? [];
  expect([address, type]).not.toContain('');
  const browser = await startChromium();
  try {
    const page = await browser.newPage();
    await page.goto(address.replace('http://127.0.0.1:4590', session.http));
    const events = page.getByRole('region', { name: list });
    await events.getByText('user_renamed').first().waitFor();
    expect(await events.getByText(type).count()).toBe(0);
    await append();
    await events.getByText(type).first().waitFor();
  } finally {
    await browser.close();
  }
}

test('the tour begins with a clone of this repository and `npm start`, whose last command the tests run', () => {
  expect(setup?.text.split('\n')).toEqual([
    `git clone ${manifest.repository.url.replace(/^git\+/, '')}`,
    'cd esdb-gater',
    'npm ci',
    'npm start',
  ]);
  expect(manifest.scripts.start).toMatch(/ node apps\/gateway\/bin\/esdb-gater\.js start$/);
});
