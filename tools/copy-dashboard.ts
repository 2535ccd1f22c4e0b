// Part of the gateway's build: puts the built dashboard into its package, which serves it and is published with it.
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const apps = join(import.meta.dirname, '..', 'apps');
const target = join(apps, 'gateway', 'public');
rmSync(target, { recursive: true, force: true });
cpSync(join(apps, 'dashboard', 'dist'), target, { recursive: true });
