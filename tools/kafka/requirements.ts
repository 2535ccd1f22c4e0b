import { spawnSync } from 'node:child_process';

/** The programs that a broker needs, with commands that print their versions. */
const PROGRAMS = [
  { name: 'java', arguments: ['-version'], advice: 'install a Java runtime, version 17 or newer' },
  { name: 'mvn', arguments: ['--version'], advice: 'install Apache Maven, version 3.8 or newer' },
] as const;

/** Returns one line that names the missing programs, or undefined when all are installed. */
export function missingRequirement(): string | undefined {
  for (const program of PROGRAMS) {
    const { error, status } = spawnSync(program.name, program.arguments, { stdio: 'ignore' });
    if (error !== undefined || status !== 0) {
      return `${program.name} does not run here: ${program.advice}, or name a broker in KAFKA_BROKERS`;
    }
  }
  return undefined;
}
