import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CHANNEL_DEFAULTS, CHANNEL_NAMES } from '@esdb-gater/types';
import { Type } from 'typebox';
import { expect, test } from 'vitest';
import { expectedOf } from '../src/config/expectation.ts';
import { CONFIG_KEYS, type ConfigKey } from '../src/config/keys.ts';
import { annotationsOf } from '../src/config/schema-kit.ts';

const GATEWAY_README = join(import.meta.dirname, '..', 'README.md');
const ROOT_README = join(import.meta.dirname, '..', '..', '..', 'README.md');
const BEGIN = '<!-- configuration: `npm run docs:config` writes what follows -->';
const END = '<!-- configuration: end -->';

/** One setting as a row of the table. */
type Row = Pick<ConfigKey, 'path' | 'expected' | 'default' | 'whenNull' | 'description'>;

test('the README of the gateway has the table of the schema (`npm run docs:config` writes it)', async () => {
  const readme = readFileSync(GATEWAY_README, 'utf8');
  const [before, rest] = readme.split(BEGIN);
  const [, after] = rest?.split(END) ?? [];
  expect(after).toBeDefined();
  await expect(`${before}${BEGIN}\n\n${configuration()}\n\n${END}${after}`).toMatchFileSnapshot(
    GATEWAY_README,
  );
});

test('the README of the repository has the ten channels as they are', () => {
  const rows = readFileSync(ROOT_README, 'utf8')
    .split('\n')
    .map((line) => line.split('|').map((cell) => cell.trim()))
    .filter(([, name = '']) => CHANNEL_NAMES.some((channel) => name === `\`${channel}\``));
  const number = (cell = ''): number | undefined => {
    const digits = /^[\d ]+/.exec(cell)?.[0].replaceAll(' ', '');
    return digits === undefined ? undefined : Number(digits);
  };
  expect(rows.map(([, name]) => name)).toEqual(CHANNEL_NAMES.map((name) => `\`${name}\``));
  for (const [index, [, , priority, maxRate, signature, history]] of rows.entries()) {
    const channel = CHANNEL_NAMES[index] ?? 'events';
    const settings = CHANNEL_DEFAULTS[channel];
    expect({ channel, priority, maxRate: number(maxRate), signature }).toEqual({
      channel,
      priority: settings.priority,
      maxRate: settings.maxRate,
      signature: settings.requireSignature ? 'required' : 'optional',
    });
    if (!settings.enabled) expect(history).toContain('off');
    // The history of `events` comes from the stores.
    else if (channel !== 'events') expect(number(history)).toBe(settings.history);
  }
});

function configuration(): string {
  const rows = CONFIG_KEYS.filter((key) => key.twinOf === undefined).flatMap(rowsOf);
  return [
    '| key | value | default | what |',
    '| --- | --- | --- | --- |',
    ...rows.map(
      (row) =>
        `| \`${row.path}\` | ${cell(row.expected)} | ${cell(defaultOf(row))} | ${cell(row.description)} |`,
    ),
  ].join('\n');
}

/** The rows of a key: one row, no row for channels after the first, and one more for each member of a record. */
function rowsOf(key: ConfigKey): Row[] {
  const [, channel, setting] = /^channels\.(\w+)\.(\w+)$/.exec(key.path) ?? [];
  if (setting !== undefined) {
    if (channel !== CHANNEL_NAMES[0]) return [];
    const defaults = CONFIG_KEYS.filter(
      ({ path }) => path.startsWith('channels.') && path.endsWith(`.${setting}`),
    );
    const isSame = new Set(defaults.map((one) => one.default)).size === 1;
    const row = { ...key, path: `channels.<channel>.${setting}` };
    return [isSame ? row : { ...row, default: null, whenNull: 'as the table of the ten channels' }];
  }
  if (!Type.IsRecord(key.schema)) return [key];
  const { names = 'name' } = annotationsOf(key.schema);
  const members = Object.values(key.schema.patternProperties).flatMap((entry) =>
    Type.IsObject(entry) ? Object.entries(entry.properties) : [],
  );
  return [
    key,
    ...members.map(([name, schema]): Row => {
      const { description = '', default: value = null, ...rest } = annotationsOf(schema);
      const path = `${key.path}.<${names}>.${name}`;
      const whenNull = Type.IsOptional(schema) ? rest.whenNull : 'required';
      return {
        path,
        expected: expectedOf(schema, path),
        default: value,
        whenNull,
        description,
      };
    }),
  ];
}

function defaultOf({ default: value, whenNull = 'none' }: Row): string {
  if (value === null) return whenNull;
  return typeof value === 'string' ? `\`${value}\`` : `\`${JSON.stringify(value)}\``;
}

/** Escapes text for a table cell, so that it neither ends the column nor is parsed as HTML. */
function cell(text: string): string {
  return text.replaceAll('|', '\\|').replace(/<(\w+)>/g, '&lt;$1&gt;');
}
