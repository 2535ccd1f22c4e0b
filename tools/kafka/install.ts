import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { missingRequirement } from './requirements.ts';

const HERE = dirname(fileURLToPath(import.meta.url));

/** The folder for all files of this tool; git ignores it. */
export const CACHE_DIR: string = join(HERE, '..', '..', '.cache', 'kafka');

const MAVEN_GOAL = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies';

/** Makes Kafka write its log to standard output, which is used to detect the start. */
const LOG_SETTINGS = `status = error
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d{ISO8601} %-5p %c{1}: %m%n
rootLogger.level = warn
rootLogger.appenderRef.console.ref = console
logger.server.name = kafka.server.KafkaRaftServer
logger.server.level = info
`;

/**
 * Returns the class path of the Kafka release in `pom.xml`. Maven downloads it at the first call: about 43 MB, under a
 * minute. Safe to call from several processes at the same time.
 *
 * @throws an error of one line when Java or Maven is missing, or Maven fails
 */
export async function ensureKafka(say: (line: string) => void): Promise<string> {
  const version = /<artifactId>kafka_[\d.]+<\/artifactId>\s*<version>([^<]+)</.exec(
    readFileSync(join(HERE, 'pom.xml'), 'utf8'),
  )?.[1];
  if (version === undefined) throw new Error('tools/kafka/pom.xml names no version of Kafka');
  const missing = missingRequirement();
  if (missing !== undefined) throw new Error(missing);
  const home = join(CACHE_DIR, `kafka-${version}`);
  if (!existsSync(home)) await fetchInto(home, version, say);
  return [join(home, 'libs', '*'), home].join(':');
}

async function fetchInto(home: string, version: string, say: (line: string) => void): Promise<void> {
  const draft = `${home}.${process.pid}`;
  mkdirSync(join(draft, 'libs'), { recursive: true });
  try {
    say(`downloading Apache Kafka ${version} with Maven (once, under a minute)`);
    await maven(join(draft, 'libs'));
    writeFileSync(join(draft, 'log4j2.properties'), LOG_SETTINGS);
    // The rename is atomic: another process sees all the jars or none.
    renameSync(draft, home);
  } catch (error) {
    if (!existsSync(home)) throw error;
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

async function maven(outputDirectory: string): Promise<void> {
  const child = spawn(
    'mvn',
    [
      '-B',
      '-ntp',
      '-q',
      '-f',
      join(HERE, 'pom.xml'),
      MAVEN_GOAL,
      '-DincludeScope=runtime',
      `-DoutputDirectory=${outputDirectory}`,
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(-2_000);
    });
  }
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (code !== 0) throw new Error(`mvn ended with ${code}: ${lastLine(output)}`);
}

function lastLine(output: string): string {
  const lines = output.split('\n').filter((line) => line.includes('ERROR'));
  return lines[0]?.trim() ?? 'it said nothing';
}
