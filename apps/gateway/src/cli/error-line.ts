import type { GaterError } from '@esdb-gater/types';
import { jsonLine, plain } from './output.ts';

/**
 * Formats a failure as one line for standard error: the code, the message, then the details of the error
 * (`expected=0 actual=3`).
 */
export function errorLine(error: GaterError, json: boolean): string {
  if (json) return jsonLine({ ...error.toData(), message: error.message });
  const details = Object.entries(error.details)
    .filter(([, value]) => value !== null && value !== undefined)
    .map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
  return plain(`${error.code}: ${error.message}${details.length > 0 ? ` (${details.join(', ')})` : ''}`);
}
