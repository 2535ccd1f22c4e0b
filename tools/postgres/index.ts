export { type RunningPostgres, startPostgres } from './start-postgres.ts';
export { postgresUnavailable } from './test-support.ts';
