import { type ErrorDetails, type GaterError, invalidArgument } from '@esdb-gater/types';
import { describeValue } from './describe-value.ts';

/** Additions to the error of an invalid option. */
export interface OptionRule {
  /** The stable `reason` of the error. @default the name of the option */
  readonly reason?: string;
  /** Added to the details; overrides `member` and `expected`. */
  readonly details?: ErrorDetails;
}

export interface IntegerRule extends OptionRule {
  readonly min: number;
  /** @default Number.MAX_SAFE_INTEGER */
  readonly max?: number;
}

export interface NumberRule extends OptionRule {
  /** The least value, inclusive; `-Infinity` allows that. @default the least finite number */
  readonly min?: number;
  /** Instead of `min`: a bound that is itself excluded. */
  readonly above?: number;
  /** The greatest value, inclusive; `Infinity` allows that. @default the greatest finite number */
  readonly max?: number;
}

/**
 * Creates the error for an invalid option.
 *
 * @param member the name of the option, as its caller writes it
 * @returns `invalid_argument` with the details `member` and `expected`
 */
export function invalidOption(
  member: string,
  value: unknown,
  expected: string,
  { reason = member, details }: OptionRule = {},
): GaterError {
  const message = `\`${member}\` must be ${expected}, got ${describeValue(value)}`;
  return invalidArgument(reason, message, { member, expected, ...details });
}

/** Returns `value` when it is a safe integer within the bounds. @throws `invalid_argument` */
export function requireInteger(member: string, value: unknown, rule: IntegerRule): number {
  const { min, max = Number.MAX_SAFE_INTEGER } = rule;
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max) return value;
  const range = rule.max === undefined ? `of at least ${min}` : `from ${min} to ${max}`;
  throw invalidOption(member, value, `an integer ${range}`, rule);
}

/** Returns `value` when it is a number within the bounds, never NaN. @throws `invalid_argument` */
export function requireNumber(member: string, value: unknown, rule: NumberRule): number {
  const { min = -Number.MAX_VALUE, above, max = Number.MAX_VALUE } = rule;
  if (typeof value === 'number' && value <= max && (above === undefined ? value >= min : value > above)) {
    return value;
  }
  throw invalidOption(member, value, `a number${numberRange(rule)}`, rule);
}

function numberRange({ min, above, max }: NumberRule): string {
  const hasMax = Number.isFinite(max);
  if (above !== undefined) return hasMax ? ` above ${above} and up to ${max}` : ` above ${above}`;
  if (!Number.isFinite(min)) return hasMax ? ` up to ${max}` : '';
  return hasMax ? ` from ${min} to ${max}` : ` of at least ${min}`;
}

/** Returns `value` when it is one of `choices`. @throws `invalid_argument` */
export function requireOneOf<T extends string>(
  member: string,
  value: unknown,
  choices: readonly T[],
  rule: OptionRule = {},
): T {
  const choice = choices.find((one) => one === value);
  if (choice !== undefined) return choice;
  const words = choices.map((one) => JSON.stringify(one));
  throw invalidOption(member, value, `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`, rule);
}
