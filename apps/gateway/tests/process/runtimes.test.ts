// The built client on other runtimes than Node.js, against a gateway of its own. They are installed with
// `npm ci --prefix tools/runtimes`; with CI=true none may be absent.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { otherRuntimes } from '../../../../tools/runtimes/runtimes.ts';
import { type GatewayProcess, startGatewayProcess, temporaryFolder } from '../support/gateway-process.ts';

const PROGRAM = join(import.meta.dirname, '..', 'support', 'runtime-program.js');
const MESSAGES = 2_000;

let folder: ReturnType<typeof temporaryFolder>;
let gateway: GatewayProcess;
beforeAll(async () => {
  folder = temporaryFolder();
});
afterAll(() => folder.remove());

describe.each(otherRuntimes())('$name', ({ name, command }) => {
  beforeAll(async () => {
    gateway = await startGatewayProcess(join(folder.path, name));
    return () => gateway.kill9();
  });

  test.skipIf(command === undefined && process.env['CI'] !== 'true')(
    `the client connects, appends, reads, subscribes and closes on ${name} [R29]`,
    { timeout: 120_000 },
    async () => {
      if (command === undefined) throw new Error(`${name} is missing: npm ci --prefix tools/runtimes`);
      const [program, ...args] = command;
      const { stdout } = await promisify(execFile)(
        program,
        [...args, PROGRAM, gateway.url, String(MESSAGES)],
        { timeout: 60_000 },
      );
      expect(JSON.parse(stdout)).toEqual({
        version: 9,
        refusal: 'wrong_expected_version',
        read: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
        inOrder: true,
        received: MESSAGES,
        closedInTime: true,
      });
    },
  );
});
