// `npm run ops:tools`: installs the tools that check the files in apps/gateway/ops.
import { CACHE_DIR } from './index.ts';
import { installOpsTools } from './install.ts';

try {
  await installOpsTools((line) => process.stdout.write(`${line}\n`));
  process.stdout.write(`${CACHE_DIR}\n`);
} catch (error) {
  process.stderr.write(`ops: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
