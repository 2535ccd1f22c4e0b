import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Figures } from './figures.ts';
import { machineText } from './machine.ts';
import { drawFigures } from './picture.ts';

const FOLDER = join(import.meta.dirname, '..');
const FILE = join(FOLDER, 'results.json');

/** The last run of a bench. */
interface BenchRecord {
  /** CPU, memory, versions, commit and day. */
  readonly machine: string;
  readonly figures: Figures;
}

function read(): Readonly<Record<string, BenchRecord>> {
  return existsSync(FILE) ? (JSON.parse(readFileSync(FILE, 'utf8')) as Record<string, BenchRecord>) : {};
}

/** Returns what the last run of a bench measured, or undefined. */
export function lastFigures(bench: string): Figures | undefined {
  return read()[bench]?.figures;
}

/** Keeps what a bench measured beside RESULTS.md, and draws it when peers took part. */
export function recordFigures(bench: string, figures: Figures): void {
  const machine = machineText();
  writeFileSync(FILE, `${JSON.stringify({ ...read(), [bench]: { machine, figures } }, undefined, 2)}\n`);
  const picture = drawFigures(bench, machine, figures);
  if (picture === undefined) return;
  const pictures = join(FOLDER, 'pictures');
  mkdirSync(pictures, { recursive: true });
  writeFileSync(join(pictures, `${bench}.svg`), picture);
}
