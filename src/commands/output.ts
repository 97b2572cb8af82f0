import { constants } from 'node:fs';
import { link, open, rename, unlink, type FileHandle } from 'node:fs/promises';
import { unlinkSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

import { UsageError } from '../usage.ts';

/**
 * A file that appears whole under its name or not at all: written under a temporary name beside it, synced, then linked
 * (`create`, which fails when the name is taken) or renamed over it (`replace`). Opened before the window, so that a
 * path that cannot be written costs nobody 30 seconds. No symbolic link is followed.
 */
export class OutputFile {
  readonly #path: string;
  readonly #temporary: string;
  readonly #handle: FileHandle;
  readonly #how: 'create' | 'replace';
  readonly #flag: string;
  readonly #remove = (): void => {
    try {
      unlinkSync(this.#temporary);
    } catch (error) {
      if (!isErrno(error, 'ENOENT')) process.stderr.write(`pktcost: left behind: ${this.#temporary}\n`);
    }
  };

  private constructor(path: string, temporary: string, handle: FileHandle, how: 'create' | 'replace', flag: string) {
    this.#path = path;
    this.#temporary = temporary;
    this.#handle = handle;
    this.#how = how;
    this.#flag = flag;
    process.once('exit', this.#remove);
  }

  /**
   * @param flag the flag that named the path, for messages
   * @throws UsageError when the file exists already (`create`) or cannot be written
   */
  static async open(path: string, how: 'create' | 'replace', mode: number, flag = '--output'): Promise<OutputFile> {
    if (how === 'create' && (await exists(path)))
      throw new UsageError(`${flag} ${path}: exists already; nothing was overwritten: name a new file`);
    const temporary = join(dirname(path), `.${basename(path)}.${process.pid}.tmp`);
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
    try {
      return new OutputFile(path, temporary, await open(temporary, flags, mode), how, flag);
    } catch (error) {
      throw new UsageError(`${flag} ${path}: cannot be written: ${reasonOf(error)}`);
    }
  }

  /** All of it, at once or as it comes. */
  async write(content: string | AsyncIterable<Uint8Array>): Promise<void> {
    try {
      // Each writeFile goes on where the one before ended.
      if (typeof content === 'string') await this.#handle.writeFile(content);
      else for await (const piece of content) await this.#handle.writeFile(piece);
      await this.#handle.sync();
      await this.#handle.close();
      if (this.#how === 'replace') await rename(this.#temporary, this.#path);
      else {
        await link(this.#temporary, this.#path);
        await unlink(this.#temporary);
      }
    } catch (error) {
      throw new UsageError(`${this.#flag} ${this.#path}: not written: ${reasonOf(error)}`);
    }
    process.off('exit', this.#remove);
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    await handle.close();
    return true;
  } catch (error) {
    return !isErrno(error, 'ENOENT');
  }
}

function isErrno(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message.replace(/, \w+ '.*$/, '') : String(error);
}
