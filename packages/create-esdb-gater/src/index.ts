export { type CreateComponents, runCreate } from './run-create.ts';
