import { type TraceSpan, traceTree } from '../../apps/gateway/tests/support/traced-call.ts';

const WIDTH = 960;
const LABEL_WIDTH = 400;
const ROW_HEIGHT = 24;
const TOP = 64;
const RIGHT = 84;

/** A colour per process; each has a contrast of at least 4.5 to white. */
const COLOURS = ['#1f6feb', '#8250df', '#1a7f37', '#9a6700'] as const;

/** Draws a trace as an SVG: a row per span, indented below its parent, and a bar from its start to its end. */
export function drawWaterfall(spans: readonly TraceSpan[], title: string): string {
  const rows = traceTree(spans);
  const start = Math.min(...spans.map(({ startUs }) => startUs));
  const end = Math.max(...spans.map(({ endUs }) => endUs));
  const processes = [...new Set(rows.map(({ span }) => span.process))];
  const colourOf = (process: string): string =>
    COLOURS[processes.indexOf(process) % COLOURS.length] ?? '#000';
  const scale = (WIDTH - LABEL_WIDTH - RIGHT) / Math.max(1, end - start);
  const height = TOP + rows.length * ROW_HEIGHT + 16;
  const bars = rows.map(({ span, depth }, index) => {
    const y = TOP + index * ROW_HEIGHT;
    const x = LABEL_WIDTH + (span.startUs - start) * scale;
    const width = Math.max(2, (span.endUs - span.startUs) * scale);
    const colour = colourOf(span.process);
    return [
      `<text x="${16 + depth * 12}" y="${y + 16}" fill="${colour}">${escapeXml(span.name)} <tspan class="kind">${span.kind}</tspan></text>`,
      `<rect x="${round(x)}" y="${y + 4}" width="${round(width)}" height="16" rx="3" fill="${colour}"/>`,
      `<text class="time" x="${round(x + width + 6)}" y="${y + 16}">${milliseconds(span.endUs - span.startUs)}</text>`,
    ].join('\n  ');
  });
  const legend = processes.map(
    (process, index) =>
      `<rect x="${16 + index * 130}" y="36" width="12" height="12" rx="3" fill="${colourOf(process)}"/><text x="${34 + index * 130}" y="47">${escapeXml(process)}</text>`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif" font-size="13" role="img" aria-labelledby="title">
  <title id="title">${escapeXml(title)}</title>
  <style>.kind { font-size: 9px; fill: #57606a } .time { font-size: 11px; fill: #57606a }</style>
  <rect width="${WIDTH}" height="${height}" rx="12" fill="#ffffff" stroke="#d0d7de"/>
  <text x="16" y="24" font-weight="600">${escapeXml(title)}</text>
  ${legend.join('\n  ')}
  ${bars.join('\n  ')}
</svg>
`;
}

function milliseconds(us: number): string {
  return `${(us / 1_000).toFixed(us < 10_000 ? 2 : 1)} ms`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
