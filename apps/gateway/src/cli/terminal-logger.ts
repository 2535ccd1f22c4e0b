import type { Logger } from '@esdb-gater/types';
import type { Terminal } from './context.ts';
import { jsonLine, plain } from './output.ts';

/** Creates the logger of a command that runs for long: one line on standard error for each message but `debug`. */
export function terminalLogger({ stderr }: Pick<Terminal, 'stderr'>, json: boolean): Logger {
  const write =
    (level: string) =>
    (fields: object, message: string): void => {
      const { err, ...rest } = fields as { readonly err?: unknown };
      const why = err instanceof Error ? err.message : undefined;
      const line = json
        ? jsonLine({ level, msg: message, ...rest, ...(why === undefined ? {} : { err: why }) })
        : plain(why === undefined ? message : `${message}: ${why}`);
      stderr.write(`${line}\n`);
    };
  return { debug() {}, info: write('info'), warn: write('warn'), error: write('error') };
}
