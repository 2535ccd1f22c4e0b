import { styleText } from 'node:util';
import type { CommonOptions, Terminal } from './context.ts';

/** A style of a text: its meaning, not its colour. */
export type Style = 'head' | 'good' | 'warn' | 'bad';

const STYLES = { head: 'bold', good: 'green', warn: 'yellow', bad: 'red' } as const;

/** Gives texts a colour. */
export type Paint = (style: Style, text: string) => string;

/** Returns how texts are painted: with colours at a terminal only, and not where `NO_COLOR` is set (no-color.org). */
export function paintOf({ json }: Pick<CommonOptions, 'json'>, { stdout, env }: Terminal): Paint {
  const colours =
    stdout.isTTY === true && json !== true && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb';
  return (style, text) => (colours ? styleText(STYLES[style], text, { validateStream: false }) : text);
}

/** Returns the style of a state, such as that of a store. */
export function styleOf(status: string): Style {
  if (status === 'healthy') return 'good';
  return status === 'degraded' ? 'warn' : 'bad';
}
