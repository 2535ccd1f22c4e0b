import { figure, type Spread } from '../lib/statistics.ts';
import type { Measured } from './measure.ts';
import type { ContestantName } from './operations.ts';

export const HEADER = [
  'what',
  'against',
  'its calls/s',
  'the addon alone',
  'security, native',
  'aim',
  'security, TypeScript',
  'aim',
] as const;

/** Where an aim is 1, it is the median that must not be below this. */
const EVEN = 0.95;

/** A row of the table: minimum of the ratios, with median and maximum in brackets. */
export function rowOf({ operation, speeds, ratios }: Measured): string[] {
  return [
    operation.title,
    operation.peer,
    speeds.peer === undefined ? '' : figure(speeds.peer.median),
    spread(ratios.addon),
    spread(ratios.native),
    verdict(ratios.native, operation.nativeAim),
    spread(ratios.typescript),
    verdict(ratios.typescript, operation.typescriptAim),
  ];
}

/** Whether the aim of an operation is reached by an engine of `@esdb-gater/security`. */
export function isReached(
  { operation, ratios }: Measured,
  engine: Extract<ContestantName, 'native' | 'typescript'>,
): boolean {
  const ratio = ratios[engine];
  return ratio === undefined || reached(ratio, operation[`${engine}Aim`]);
}

function reached(ratio: Spread, aim: number): boolean {
  return aim === 1 ? ratio.median >= EVEN : ratio.min >= aim;
}

function verdict(ratio: Spread | undefined, aim: number): string {
  if (ratio === undefined) return `${aim}`;
  return `${aim}${reached(ratio, aim) ? '' : ' missed'}`;
}

function spread(ratio: Spread | undefined): string {
  if (ratio === undefined) return '';
  return `${figure(ratio.min)} (${figure(ratio.median)}–${figure(ratio.max)})`;
}
