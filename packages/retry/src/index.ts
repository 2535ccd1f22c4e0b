// Users
export { type LimitOptions, withLimit } from '@esdb-gater/primitives';
export { createRetryBudget, type RetryBudget, type RetryBudgetOptions } from './budget.ts';
export { calculateDelay } from './delay.ts';
export { type RetryPolicy, type RetryPolicyOptions, retryPolicy } from './policy.ts';
export { type RetryNotice, type WithRetryOptions, withRetry } from './with-retry.ts';
