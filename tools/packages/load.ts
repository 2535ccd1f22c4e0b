// `node tools/packages/load.ts NAME`: imports a package and prints how many modules of which size that loads, as JSON. With
// `--time` it prints the milliseconds instead, since counting costs some.
import { statSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';

const [name = '', option] = process.argv.slice(2);

if (option === '--time') {
  const begun = performance.now();
  await import(name);
  print({ ms: performance.now() - begun });
} else {
  let modules = 0;
  let bytes = 0;
  registerHooks({
    load(url, context, next) {
      if (url.startsWith('file:')) {
        modules++;
        bytes += statSync(fileURLToPath(url)).size;
      }
      return next(url, context);
    },
  });
  await import(name);
  print({ modules, bytes });
}
process.exit();

function print(value: object): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}
