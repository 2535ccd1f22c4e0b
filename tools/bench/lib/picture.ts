import { type Figures, isRate } from './figures.ts';
import { figure as figureText } from './statistics.ts';

interface Bar {
  readonly peer: string;
  /** How many times better the project's contestant is. */
  readonly times: number;
}

interface Group {
  readonly title: string;
  readonly bars: readonly Bar[];
}

const WIDTH = 900;
const LABELS = 360;
const PLOT = 460;
const BAR = 12;
const GAP = 14;
const HEAD = 64;
const COLOURS = ['#2f6fde', '#c2571a', '#2b8a5b', '#8a4bbf', '#6b7280'];
/** The axis is logarithmic, from a quarter to 64 times. */
const [LEAST, MOST] = [1 / 4, 64];
const TICKS = [0.25, 0.5, 1, 2, 4, 8, 16, 32, 64];

/**
 * Draws the figures of a bench that peers have as well: how many times better this project is than each, by medians.
 * @returns an SVG, or undefined when no peer was measured
 */
export function drawFigures(title: string, machine: string, figures: Figures): string | undefined {
  const groups = groupsOf(figures);
  if (groups.length === 0) return undefined;
  const peers = [...new Set(groups.flatMap(({ bars }) => bars.map(({ peer }) => peer)))];
  let y = HEAD;
  const parts: string[] = [];
  for (const { title: label, bars } of groups) {
    const middle = y + (bars.length * BAR) / 2;
    parts.push(`<text x="${LABELS - 10}" y="${middle + 4}" text-anchor="end">${xmlText(label)}</text>`);
    for (const { peer, times } of bars) {
      const [from, to] = [at(1), at(times)].sort((a, b) => a - b) as [number, number];
      const colour = COLOURS[peers.indexOf(peer) % COLOURS.length];
      parts.push(
        `<rect x="${from}" y="${y}" width="${Math.max(1, to - from)}" height="${BAR - 2}" fill="${colour}"><title>${xmlText(peer)}</title></rect>`,
        `<text class="value" x="${Math.max(from, to) + 4}" y="${y + BAR - 3}">${figureText(times)}</text>`,
      );
      y += BAR;
    }
    y += GAP;
  }
  const ticks = TICKS.map(
    (tick) =>
      `<line x1="${at(tick)}" x2="${at(tick)}" y1="${HEAD - 8}" y2="${y}" class="${tick === 1 ? 'even' : 'tick'}"/><text class="value" x="${at(tick)}" y="${HEAD - 12}" text-anchor="middle">${tick}×</text>`,
  );
  const legend = peers.map(
    (peer, index) =>
      `<rect x="${LABELS + index * 150}" y="${y + 6}" width="10" height="10" fill="${COLOURS[index % COLOURS.length]}"/><text x="${LABELS + 14 + index * 150}" y="${y + 15}">${xmlText(peer)}</text>`,
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y + 32}" font-family="system-ui, sans-serif" font-size="12" role="img">`,
    `<title>${xmlText(title)}</title>`,
    '<style>text{fill:#1f2430}.value{font-size:10px}.tick{stroke:#d5d9e0}.even{stroke:#1f2430}.ground{fill:#fff}@media(prefers-color-scheme:dark){text{fill:#e6e9f0}.tick{stroke:#3a4152}.even{stroke:#e6e9f0}.ground{fill:#14171f}}</style>',
    '<rect class="ground" width="100%" height="100%"/>',
    `<text x="12" y="22" font-size="15" font-weight="600">${xmlText(title)}: times better than the peer (right of 1× is better)</text>`,
    `<text class="value" x="12" y="38">${xmlText(machine)}</text>`,
    ...ticks,
    ...parts,
    ...legend,
    '</svg>',
    '',
  ].join('\n');
}

function groupsOf(figures: Figures): readonly Group[] {
  return Object.entries(figures).flatMap(([scenario, entries]) => {
    const all = Object.entries(entries);
    const peers = all.filter(([, { isPeer }]) => isPeer);
    const ours = all.filter(([, { isPeer }]) => !isPeer);
    return ours.flatMap(([name, { medians }]) =>
      Object.entries(medians).flatMap(([key, value]) => {
        const bars = peers.flatMap(([peer, theirs]) => {
          const other = theirs.medians[key];
          if (other === undefined || !(other > 0) || !(value > 0)) return [];
          return [{ peer, times: isRate(key) ? value / other : other / value }];
        });
        const who = ours.length > 1 ? `, ${name}` : '';
        return bars.length === 0 ? [] : [{ title: `${scenario}${who}: ${wordsOf(key)}`, bars }];
      }),
    );
  });
}

/** `appendsPerSecond` as `appends/s`, `cpuMicros` as `CPU`, `p99Ms` as `p99`. */
function wordsOf(key: string): string {
  const name = key.replace(/PerSecond$/, '/s').replace(/(Ms|Micros)$/, '');
  return name === 'cpu' ? 'CPU' : name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

function at(times: number): number {
  const bounded = Math.min(MOST, Math.max(LEAST, times));
  return Math.round(LABELS + (PLOT * Math.log(bounded / LEAST)) / Math.log(MOST / LEAST));
}

function xmlText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
