import { spawnSync } from 'node:child_process';

/** What a broker needs on this machine and how to ask for it. */
const PROGRAMS = [
  { name: 'java', arguments: ['-version'], advice: 'install a Java runtime, version 17 or newer' },
  { name: 'mvn', arguments: ['--version'], advice: 'install Apache Maven, version 3.8 or newer' },
] as const;

/** One line that names what is missing, or undefined when everything is there. */
export function missingRequirement(): string | undefined {
  for (const program of PROGRAMS) {
    const { error, status } = spawnSync(program.name, program.arguments, { stdio: 'ignore' });
    if (error !== undefined || status !== 0) {
      return `${program.name} does not run here: ${program.advice}, or name a broker in KAFKA_BROKERS`;
    }
  }
  return undefined;
}
