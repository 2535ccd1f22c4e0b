import { missingRequirement } from './requirements.ts';

/**
 * Why tests with a real broker cannot run here, or undefined when they can. With `CI=true` they always run, so that a
 * machine without Java or Maven fails instead of passing without tests.
 */
export function kafkaUnavailable(): string | undefined {
  const { KAFKA_BROKERS: brokers, CI: ci } = process.env;
  if ((brokers !== undefined && brokers !== '') || ci === 'true') return undefined;
  return missingRequirement();
}
