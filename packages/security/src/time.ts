import { describeType } from '@esdb-gater/primitives';
import { invalidArgument } from '@esdb-gater/types';

/** A moment: a `Date`, Unix seconds, or Unix milliseconds (numbers from 100 000 000 000 on, the year 1973). */
export type Moment = number | Date;

const FIRST_MILLISECONDS = 100_000_000_000;

/** Returns the moment, by default now, in Unix seconds with fractions. @throws `invalid_argument`, reason `time` */
export function unixSeconds(moment: Moment | undefined, name: string): number {
  if (moment === undefined) return Date.now() / 1000;
  const value = moment instanceof Date ? moment.getTime() / 1000 : moment;
  if (typeof value !== 'number' || !Number.isFinite(value)) {
    throw invalidArgument(
      'time',
      `${name} must be a Date or a finite number of seconds, got ${describeType(moment)}`,
    );
  }
  return moment instanceof Date || Math.abs(value) < FIRST_MILLISECONDS ? value : value / 1000;
}
