import { open, rename, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Owner only: for keys and secrets. */
export const PRIVATE_MODE = 0o600;

let counter = 0;

/**
 * Writes `text` so that after a crash the file has either its old or its new content: into a file beside it, which is
 * flushed and renamed. One `fsync` of the file and one of the folder.
 */
export async function writeFileAtomic(file: string, text: string, mode: number = 0o644): Promise<void> {
  const beside = `${file}.${process.pid}-${counter++}.tmp`;
  const handle = await open(beside, 'wx', mode);
  try {
    await handle.writeFile(text, 'utf8');
    await handle.sync();
    await handle.close();
    await rename(beside, file);
  } catch (error) {
    await handle.close().catch(() => undefined);
    await unlink(beside).catch(() => undefined);
    throw error;
  }
  await syncFolder(dirname(file));
}

async function syncFolder(folder: string): Promise<void> {
  try {
    const handle = await open(folder, 'r');
    await handle.sync().finally(() => handle.close());
  } catch {
    // Windows opens no folders; there the rename is as durable as it gets.
  }
}
