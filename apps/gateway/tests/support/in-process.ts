import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Clock, type Logger, silentLogger } from '@esdb-gater/types';
import { loadConfig } from '../../src/config/load-config.ts';
import type { ConnectionBounds } from '../../src/http/connection-bounds.ts';
import { type RunningGateway, startGateway } from '../../src/start-gateway.ts';

export interface TestGateway extends RunningGateway {
  readonly http: string;
  readonly dataDir: string;
}

/** A gateway in this process on a free port, with a data folder that is removed with it. */
export async function startTestGateway(
  flags: Readonly<Record<string, string | boolean>> = {},
  options: {
    readonly logger?: Logger;
    readonly dataDir?: string;
    readonly clock?: Clock;
    readonly bounds?: Partial<ConnectionBounds>;
  } = {},
): Promise<TestGateway> {
  const dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), 'esdb-gater-'));
  const config = loadConfig({ flags: { port: '0', 'data-dir': dataDir, ...flags } });
  const gateway = await startGateway(config, {
    logger: options.logger ?? silentLogger,
    ...(options.clock === undefined ? {} : { clock: options.clock }),
    ...(options.bounds && { bounds: options.bounds }),
  });
  const close = async (): Promise<void> => {
    await gateway.close();
    if (options.dataDir === undefined) rmSync(dataDir, { recursive: true, force: true });
  };
  return {
    ...gateway,
    dataDir,
    http: gateway.url.replace(/^ws/, 'http').replace('/v1/ws', ''),
    close,
    [Symbol.asyncDispose]: close,
  };
}
