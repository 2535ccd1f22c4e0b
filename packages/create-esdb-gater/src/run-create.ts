import { relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { isTemplate, TEMPLATES, type Template } from './templates.ts';
import { CreateError, writeProject } from './write-project.ts';

export interface CreateComponents {
  /** The folder that the directory argument is relative to. */
  readonly cwd: string;
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** Asks at a terminal. @default the defaults are taken */
  readonly ask?: (question: string) => Promise<string>;
}

const LIST = Object.entries(TEMPLATES)
  .map(([name, what]) => `  ${name.padEnd(9)} ${what}\n`)
  .join('');

const HELP = `Usage: npm create esdb-gater [DIRECTORY] [-- --template NAME]

Writes a TypeScript project with an aggregate, a projection, a subscription and a test into DIRECTORY
(default: the current folder), which must be empty.

  --template NAME   one of these; asked for at a terminal, otherwise embedded
  --help            this text

Templates:
${LIST}`;

/** Runs the command. Returns its exit code: 0, 1 when the project cannot be written, 2 for wrong usage. */
export async function runCreate(
  args: readonly string[],
  { cwd, out, err, ask }: CreateComponents,
): Promise<0 | 1 | 2> {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { template: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
    });
    if (values.help === true) {
      out(HELP);
      return 0;
    }
    const [directory = '.', extra] = positionals;
    if (extra !== undefined) throw new TypeError(`unexpected argument ${JSON.stringify(extra)}`);
    const template = await templateOf(values.template, ask);
    const folder = resolve(cwd, directory);
    await writeProject(folder, template);
    const enter = relative(cwd, folder);
    out(`created ${folder} from the template ${template}\n\n`);
    out(`${enter === '' ? '' : `  cd ${enter}\n`}  npm install\n  npm test\n  npm start\n`);
    return 0;
  } catch (error) {
    // `parseArgs` throws a TypeError for what it does not know.
    const isUsage = error instanceof TypeError;
    if (!isUsage && !(error instanceof CreateError)) throw error;
    err(`create-esdb-gater: ${error.message}\n${isUsage ? 'See npm create esdb-gater -- --help\n' : ''}`);
    return isUsage ? 2 : 1;
  }
}

async function templateOf(given: string | undefined, ask: CreateComponents['ask']): Promise<Template> {
  const asked = given ?? (await ask?.(`${LIST}Template (embedded): `))?.trim() ?? '';
  const name = given === undefined && asked === '' ? 'embedded' : asked;
  if (isTemplate(name)) return name;
  const names = Object.keys(TEMPLATES).join(', ');
  throw new TypeError(`--template must be one of ${names}, got ${JSON.stringify(name)}`);
}
