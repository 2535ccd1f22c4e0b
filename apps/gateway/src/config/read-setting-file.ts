import { configError } from './config-error.ts';
import { readTextFile } from './read-text-file.ts';

/**
 * Reads the text file that a setting names.
 *
 * @throws `invalid_argument` (reason `configuration`) that names the setting when the file cannot be read
 */
export function readSettingFile(setting: string, file: string, maxBytes: number): string {
  try {
    return readTextFile(file, maxBytes);
  } catch (error) {
    throw configError(setting, `must be a file that can be read, got ${file}: ${(error as Error).message}`);
  }
}
