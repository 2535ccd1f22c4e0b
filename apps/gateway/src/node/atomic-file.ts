import { open, rename, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Readable and writable for the owner only. */
export const PRIVATE_MODE = 0o600;

/** The same for folders. */
export const PRIVATE_FOLDER_MODE = 0o700;

let counter = 0;

/**
 * Writes `text` so that after a crash the file has either its old or its new content: writes a temporary file beside it,
 * flushes it and renames it. Calls `fsync` once for the file and once for the folder.
 */
export async function writeFileAtomic(
  file: string,
  text: string,
  mode: number = PRIVATE_MODE,
): Promise<void> {
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
    // Windows cannot open folders, so the rename is not flushed there.
  }
}
