import { onAbort } from '@esdb-gater/primitives';
import { loadConfig } from '../../config/load-config.ts';
import { startGateway } from '../../start-gateway.ts';
import type { Terminal } from '../context.ts';
import { EXIT } from '../exit.ts';
import { plain } from '../output.ts';

/**
 * `start`: runs the gateway until SIGTERM or SIGINT, then stops it gracefully. A second signal ends the waiting.
 */
export async function start(
  file: string | undefined,
  flags: Readonly<Record<string, string | boolean>>,
  terminal: Terminal,
): Promise<number> {
  const warn = (message: string): void => void terminal.stderr.write(`${plain(message)}\n`);
  const config = loadConfig({ ...(file === undefined ? {} : { file }), env: terminal.env, flags, warn });
  const gateway = await startGateway(config);
  await new Promise((resolve) => onAbort(terminal.interrupted, resolve));
  await gateway.close();
  return EXIT.ok;
}
