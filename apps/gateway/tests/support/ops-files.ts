import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, parseAllDocuments } from 'yaml';
import { CONFIG_KEYS } from '../../src/config/keys.ts';
import { loadConfig } from '../../src/config/load-config.ts';
import type { GatewayConfig } from '../../src/config/types.ts';

export const ROOT: string = join(import.meta.dirname, '..', '..', '..', '..');
export const OPS: string = join(ROOT, 'apps', 'gateway', 'ops');

/** Returns the path of a file in `apps/gateway/ops`. */
export function opsPath(...parts: string[]): string {
  return join(OPS, ...parts);
}

export function opsText(...parts: string[]): string {
  return readFileSync(opsPath(...parts), 'utf8');
}

/** Parses a YAML file of `apps/gateway/ops` with one document, anchors and merges included. */
export function opsYaml<T>(...parts: string[]): T {
  return parse(opsText(...parts), { merge: true }) as T;
}

/** Parses a YAML file with several documents. */
export function opsDocuments<T>(...parts: string[]): T[] {
  return parseAllDocuments(opsText(...parts)).map((document) => document.toJS() as T);
}

/** Variables of a container or a service. */
export type Variables = Readonly<Record<string, string>>;

/** Returns the variables that are settings of the gateway. */
export function settingsOf(variables: Variables): Record<string, string> {
  return Object.fromEntries(Object.entries(variables).filter(([name]) => name.startsWith('ESDB_GATER_')));
}

/**
 * Loads the configuration that these variables give a gateway. The files of secrets exist only where it is deployed, so each
 * is replaced by a secret; the settings of the image are below them.
 *
 * @throws `invalid_argument` that names a wrong variable or value
 */
export function configOf(variables: Variables): GatewayConfig {
  const warnings: string[] = [];
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries({ ...imageSettings(), ...settingsOf(variables) })) {
    if (isSecretFile(name)) env[name.replace(/_FILE$/, '')] = 'a-secret';
    else if (name === 'ESDB_GATER_STORES')
      env[name] = value.replace(/"urlFile":"[^"]+"/g, '"url":"postgres://u:p@h/d"');
    else env[name] = value;
  }
  const config = loadConfig({ env, warn: (message) => warnings.push(message) });
  if (warnings.length > 0) throw new Error(warnings.join('\n'));
  return config;
}

/** Returns true for a variable that names a file with the value of a secret. */
export function isSecretFile(name: string): boolean {
  return CONFIG_KEYS.some(({ env, twinOf }) => env === name && twinOf !== undefined);
}

/** Returns the settings that the image has in its environment. */
export function imageSettings(): Record<string, string> {
  const block = /^ENV ((?:.*\\\n)*.*)$/m.exec(opsText('docker', 'Dockerfile'))?.[1] ?? '';
  const pairs = block.replaceAll('\\\n', ' ').trim().split(/\s+/);
  return settingsOf(
    Object.fromEntries(pairs.map((pair) => [pair.split('=', 1)[0] ?? '', pair.slice(pair.indexOf('=') + 1)])),
  );
}

/** The outcome of a tool: its output when it refused a file, else an empty text. */
export function complaintsOf(command: string, args: readonly string[], cwd: string = OPS): string {
  const { error, status, stdout, stderr }: SpawnSyncReturns<string> = spawnSync(command, args, {
    cwd,
    encoding: 'utf8',
  });
  if (error !== undefined) throw error;
  return status === 0 ? '' : `${command} ended with ${status}\n${stdout}${stderr}`;
}

/**
 * Why a program of the system cannot be run here, or undefined when it can. With `CI=true` it always can.
 *
 * @param probe arguments with which the program ends at once
 */
export function programUnavailable(
  program: string,
  probe: readonly string[] = ['--version'],
): string | undefined {
  if (process.env['CI'] === 'true') return undefined;
  const { error, status } = spawnSync(program, probe, { stdio: 'ignore' });
  return error === undefined && status === 0 ? undefined : `${program} does not exist`;
}

/** Ends the title of a test that is skipped with the reason. */
export function because(reason: string | undefined): string {
  return reason === undefined ? '' : ` (${reason})`;
}
