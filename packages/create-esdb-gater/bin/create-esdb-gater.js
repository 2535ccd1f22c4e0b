#!/usr/bin/env node
import { createInterface } from 'node:readline/promises';
import { runCreate } from '../dist/index.js';

const { stdin, stdout, stderr } = process;

async function ask(question) {
  const lines = createInterface({ input: stdin, output: stderr });
  try {
    return await lines.question(question);
  } finally {
    lines.close();
  }
}

// `… | head -1` closes the pipe; the project is written all the same.
stdout.on('error', (error) => {
  if (error.code === 'EPIPE') return;
  stderr.write(`create-esdb-gater: cannot write standard output: ${error.message}\n`);
  process.exit(1);
});

process.exitCode = await runCreate(process.argv.slice(2), {
  cwd: process.cwd(),
  out: (text) => stdout.write(text),
  err: (text) => stderr.write(text),
  ...(stdin.isTTY && stderr.isTTY ? { ask } : {}),
});
