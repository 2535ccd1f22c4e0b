// The programs in the READMEs are compiled, and run on every Node that the packages support, as a reader would run them.
import { rmSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type GatewayProcess,
  startGatewayProcess,
  temporaryFolder,
} from '../../apps/gateway/tests/support/gateway-process.ts';
import { kafkaUnavailable, type RunningKafka, startKafka } from '../kafka/index.ts';
import { postgresUnavailable, type RunningPostgres, startPostgres } from '../postgres/index.ts';
import { expectedLines, missingLines } from './expected-output.ts';
import { documentedNodes } from './nodes.ts';
import { createSnippetProject, type Snippet, snippetsOfDocuments } from './snippets.ts';

const snippets = snippetsOfDocuments();
const project = createSnippetProject(snippets);
const noKafka = kafkaUnavailable();
const noPostgres = postgresUnavailable();
const noNative = process.env['CI'] !== 'true' && !(await hasNative());

let kafka: RunningKafka | undefined;
let postgres: RunningPostgres | undefined;
beforeAll(async () => {
  if (noKafka === undefined) kafka = await startKafka();
  if (noPostgres === undefined) postgres = await startPostgres();
}, 300_000);
afterAll(async () => {
  rmSync(project.folder, { recursive: true, force: true });
  await kafka?.stop();
  await postgres?.stop();
});

async function hasNative(): Promise<boolean> {
  try {
    await import('@esdb-gater/native');
    return true;
  } catch {
    return false;
  }
}

test('every package has a snippet with its output', () => {
  const documents = new Set(
    snippets.filter(({ text }) => expectedLines(text).length > 0).map(({ name }) => documentOf(name)),
  );
  expect([...new Set(snippets.map(({ name }) => documentOf(name)))]).toEqual([...documents]);
  expect(documents.size).toBeGreaterThanOrEqual(14);
});

function documentOf(name: string): string {
  return name.replace(/:\d+$/, '');
}

test('the snippets compile', async () => {
  expect(await project.check()).toBe('');
}, 120_000);

for (const { major, path } of documentedNodes()) {
  describe.skipIf(path === undefined && process.env['CI'] !== 'true')(
    `the snippets run on Node ${major}`,
    () => {
      const folder = temporaryFolder();
      let gateway: GatewayProcess;
      beforeAll(async () => {
        gateway = await startGatewayProcess(folder.path);
      });
      afterAll(async () => {
        await gateway.stop();
        folder.remove();
      });

      for (const snippet of snippets) {
        test.skipIf(isLeftOut(snippet))(snippet.name, async () => {
          const env = {
            ...(kafka && { KAFKA_BROKERS: kafka.bootstrap }),
            ...(postgres && { POSTGRES_URL: postgres.url }),
          };
          const { exitCode, stdout, stderr } = await project.run(
            snippet,
            path ?? '',
            new URL(gateway.url).host,
            env,
          );
          expect(exitCode, stderr).toBe(0);
          expect(
            missingLines(expectedLines(snippet.text), stdout.split('\n')),
            `printed:\n${stdout}`,
          ).toEqual([]);
        });
      }
    },
  );
}

function isLeftOut({ flags }: Snippet): boolean {
  const missing = { kafka: noKafka !== undefined, postgres: noPostgres !== undefined, native: noNative };
  return Object.entries(missing).some(([flag, isMissing]) => isMissing && flags.includes(flag));
}
