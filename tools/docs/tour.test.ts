// Runs the commands in the documents word by word, and compares their output with the output in the documents.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { masked } from './expected-output.ts';
import { type FencedBlock, fencedBlocks } from './fenced-blocks.ts';
import { openShellSession, type ShellSession, shellUnavailable } from './shell-session.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const blocksOf = (document: string): FencedBlock[] =>
  fencedBlocks(readFileSync(join(ROOT, document), 'utf8'));

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

const TOURS = [
  { name: 'the tour of the README', steps: stepsOf(readme, ({ heading }) => heading === 'A tour'), least: 7 },
  {
    name: 'the commands of SECURITY.md',
    steps: stepsOf(blocksOf('SECURITY.md'), ({ flags }) => flags.includes('run')),
    least: 1,
  },
];

for (const { name, steps, least } of TOURS) {
  describe.skipIf(shellUnavailable() !== undefined)(name, () => {
    let session: ShellSession;
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
      test(commands.text.replaceAll('\n', ' ⏎ '), async () => {
        const { exitCode, output: printed } = await session.run(commands.text);
        expect(exitCode, printed).toBe(0);
        expect(masked(printed)).toBe(masked(output?.text ?? ''));
      });
    }

    test('has commands', () => expect(steps.length).toBeGreaterThanOrEqual(least));
  });
}

test('the gateway of the tour is started by the last command of `npm start`', () => {
  const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    readonly scripts: { readonly start: string };
  };
  expect(manifest.scripts.start).toMatch(/ node apps\/gateway\/bin\/esdb-gater\.js start$/);
});
