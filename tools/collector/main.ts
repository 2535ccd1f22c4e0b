// `npm run collector`: builds the OpenTelemetry Collector that the tests of the export use.
import { buildCollector } from './build.ts';

try {
  const binary = await buildCollector((line) => process.stdout.write(`${line}\n`));
  process.stdout.write(`${binary}\n`);
} catch (error) {
  process.stderr.write(`collector: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
