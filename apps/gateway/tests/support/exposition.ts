import { spawnSync } from 'node:child_process';

const NAME = '[a-zA-Z_:][a-zA-Z0-9_:]*';
const LABEL = `[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\\\\n]|\\\\["\\\\n])*"`;
/** Values are parsed like Go's `ParseFloat`, which ignores case: the library writes `Nan`. */
const SAMPLE = new RegExp(
  `^(${NAME})(?:\\{(${LABEL}(?:,${LABEL})*)\\})? (-?[0-9.]+(?:e[+-]?[0-9]+)?|\\+Inf|NaN|Nan)$`,
);
const SUFFIXES: Readonly<Record<string, readonly string[]>> = {
  counter: [''],
  gauge: [''],
  histogram: ['_bucket', '_sum', '_count'],
};

/**
 * Returns the problems of a text in the Prometheus text format 0.0.4: each family must appear once, with help and type
 * before its samples, without duplicate series; counters must be named `_total`, labels must not be reserved, units
 * must be base units, and buckets must grow up to `+Inf`.
 */
export function expositionFaults(text: string): string[] {
  const faults: string[] = [];
  const families = new Set<string>();
  const series = new Set<string>();
  let family = '';
  let type = '';
  let below = 0;
  if (!text.endsWith('\n')) faults.push('the text does not end with a line feed');
  for (const line of text.trimEnd().split('\n')) {
    // The format ignores empty lines; the library parts the families by them.
    if (line === '') continue;
    const help = new RegExp(`^# HELP (${NAME}) .+$`).exec(line);
    const typed = new RegExp(`^# TYPE (${NAME}) (counter|gauge|histogram)$`).exec(line);
    if (help !== null) {
      family = help[1] ?? '';
      type = '';
      if (families.has(family)) faults.push(`${family} comes twice`);
      families.add(family);
    } else if (typed !== null) {
      type = typed[2] ?? '';
      if (typed[1] !== family) faults.push(`${line}: the help before is of ${family}`);
      if ((type === 'counter') !== family.endsWith('_total')) faults.push(`${family} is a ${type}`);
      if (/_(ms|milliseconds|kb|minutes|percent)(_|$)/.test(family))
        faults.push(`${family} is in no base unit`);
    } else {
      const sample = SAMPLE.exec(line);
      const name = sample?.[1] ?? '';
      const labels = sample?.[2] ?? '';
      const key = `${name}{${labels}}`;
      if (sample === null) faults.push(`${line}: no sample`);
      else if (!(SUFFIXES[type] ?? []).some((suffix) => name === family + suffix)) {
        faults.push(`${line}: no sample of the ${type} ${family}`);
      }
      if (series.has(key)) faults.push(`${key} comes twice`);
      series.add(key);
      if (/(^|,)quantile=/.test(labels)) faults.push(`${key}: quantile belongs to summaries`);
      if (type !== 'histogram') {
        if (/(^|,)le=/.test(labels)) faults.push(`${key}: le belongs to histograms`);
        continue;
      }
      if (!name.endsWith('_bucket')) continue;
      const count = Number(sample?.[3]);
      if (count < below) faults.push(`${key}: a bucket is below the one before`);
      below = /(^|,)le="\+Inf"/.test(labels) ? 0 : count;
    }
  }
  return faults;
}

const PROMTOOL = process.env['PROMTOOL_BIN'] ?? 'promtool';

/** Why promtool cannot be asked here, or undefined when it can. With `CI=true` it always is. */
export function promtoolUnavailable(): string | undefined {
  if (process.env['CI'] === 'true') return undefined;
  const { error } = spawnSync(PROMTOOL, ['--version'], { stdio: 'ignore' });
  return error === undefined ? undefined : `${PROMTOOL} does not exist`;
}

/** Returns the output of promtool, which is empty for a valid text. */
export function promtoolFaults(text: string): string {
  const { error, status, stdout, stderr } = spawnSync(PROMTOOL, ['check', 'metrics'], {
    input: text,
    encoding: 'utf8',
  });
  if (error !== undefined) throw error;
  return status === 0 ? '' : `${stdout}${stderr}`;
}
