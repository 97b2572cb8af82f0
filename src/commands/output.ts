import { constants, fstatSync, promises as files, unlinkSync, write as writeTo, type Stats } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

import { errnoWords, isErrno } from '../base/errno.ts';
import { UsageError } from '../base/usage.ts';
import { answerSignals, signalled } from './signals.ts';

/** An output that could not be written to its end: one line, exit code 1. */
export class OutputError extends Error {
  override readonly name = 'OutputError';
}

/** Where a result goes: opened before anything is measured, written once at the end. */
export interface Output {
  /** Whether it is stdout, and nothing else is left to turn to when it fails. */
  readonly isStdout: boolean;
  /**
   * All of it, at once or as it comes.
   * @throws OutputError
   */
  write(content: Content): Promise<void>;
}

type Content = string | AsyncIterable<Uint8Array>;

/** A new file, which must not be there yet, or one that takes the place of another. */
export type How = 'create' | 'replace';

/** Names of descriptors that the shell opened for us, such as `-o >(gzip >report.gz)`. */
const DESCRIPTOR = /^(?:\/dev\/(?<std>stdout|stderr)|\/(?:dev|proc\/self)\/fd\/(?<fd>\d{1,6}))$/;

/**
 * Opens what `-o` names, so that a path that cannot be written costs nobody a window of 30 seconds. `-` and nothing are
 * stdout. Only a regular file is ever replaced, no symbolic link is followed, and FIFOs and character devices are written to.
 * @param flag the flag that named the path, for messages
 * @throws UsageError when it cannot be written, or exists already (`create`)
 */
export async function openOutput(path: string | undefined, how: How, mode: number, flag = '--output'): Promise<Output> {
  if (path === undefined || path === '-') return stdout;
  const refuse = (reason: string): UsageError => new UsageError(`${flag} ${path}: ${reason}`);
  try {
    const descriptor = DESCRIPTOR.exec(path)?.groups;
    if (descriptor !== undefined) return openDescriptor(path, flag, descriptor);
    const there = await statOf(path);
    if (there !== undefined) {
      if (there.isFIFO() || there.isCharacterDevice()) return await DeviceOutput.open(path, flag);
      if (there.isSymbolicLink()) throw refuse('is a symbolic link: name the file itself');
      if (!there.isFile()) throw refuse('is no file that could be written');
      if (how === 'create') throw refuse('exists already; nothing was overwritten: name a new file');
    }
    return await FileOutput.open(path, how, mode, flag);
  } catch (error) {
    if (error instanceof UsageError) throw error;
    if (isErrno(error, 'ENXIO')) throw refuse('cannot be written: nobody reads it');
    throw refuse(`cannot be written: ${reasonOf(error)}`);
  }
}

function openDescriptor(path: string, flag: string, { std, fd }: Record<string, string | undefined>): Output {
  const number = std === 'stdout' ? 1 : std === 'stderr' ? 2 : Number(fd);
  if (number === 1) return stdout;
  fstatSync(number);
  return new DescriptorOutput(number, `${flag} ${path}`);
}

/** Undefined for a name that is free. */
async function statOf(path: string): Promise<Stats | undefined> {
  try {
    return await files.lstat(path);
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}

const writeSome = promisify(writeTo);

/** A device, a pipe or a FIFO that takes nothing for so long is as good as gone. */
const LONGEST_STALL_MS = 60_000;
const RETRY_MS = 10;

/**
 * Writes through libuv's threads: a reader that takes nothing must not keep signals from being answered. A file may take
 * less than it was given, and a descriptor that somebody made non-blocking takes nothing for a while.
 */
async function writeAll(fd: number, bytes: Uint8Array): Promise<void> {
  let stalled = 0;
  for (let at = 0; at < bytes.length;) {
    try {
      const { bytesWritten } = await writeSome(fd, bytes, at, bytes.length - at, null);
      at += bytesWritten;
      stalled = 0;
    } catch (error) {
      if (!isErrno(error, 'EAGAIN') || stalled > LONGEST_STALL_MS) throw error;
      await sleep(RETRY_MS);
      stalled += RETRY_MS;
    }
  }
}

async function writeContent(fd: number, content: Content): Promise<void> {
  if (typeof content === 'string') await writeAll(fd, Buffer.from(content));
  else for await (const piece of content) await writeAll(fd, piece);
}

/** A handle that is left to the garbage collector is a warning of Node's on stderr. */
async function closedAfter(handle: FileHandle, write: () => Promise<void>): Promise<void> {
  try {
    await write();
  } finally {
    await handle.close();
  }
}

/** An open descriptor: it stays open, and whoever stops reading it has had enough. */
class DescriptorOutput implements Output {
  readonly isStdout: boolean;
  readonly #fd: number;
  readonly #shown: string;
  #gone = false;
  #failed = false;

  constructor(fd: number, shown: string) {
    this.#fd = fd;
    this.#shown = shown;
    this.isStdout = fd === 1;
  }

  /** Whether whoever read it has had enough. */
  get gone(): boolean {
    return this.#gone;
  }

  /** Whether it was said, by an error, that something was not written. */
  get failed(): boolean {
    return this.#failed;
  }

  async write(content: Content): Promise<void> {
    try {
      await writeContent(this.#fd, content);
    } catch (error) {
      this.#gone = isErrno(error, 'EPIPE');
      if (this.#gone) return;
      // The terminal of a lost session: there is nobody to tell.
      if (isErrno(error, 'EIO') && signalled() === 1) return;
      this.#failed = true;
      throw new OutputError(`${this.#shown}: not written: ${reasonOf(error)}`);
    }
  }
}

export const stdout = new DescriptorOutput(1, 'stdout');

/** A FIFO or a character device, which is opened as it is. */
class DeviceOutput implements Output {
  readonly isStdout = false;
  readonly #handle: FileHandle;
  readonly #shown: string;

  private constructor(handle: FileHandle, shown: string) {
    this.#handle = handle;
    this.#shown = shown;
  }

  static async open(path: string, flag: string): Promise<DeviceOutput> {
    // Opening a FIFO that nobody reads would wait, and a terminal would become ours.
    const flags = constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY | constants.O_NOFOLLOW;
    const handle = await files.open(path, flags);
    const status = await handle.stat();
    if (status.isFIFO() || status.isCharacterDevice()) return new DeviceOutput(handle, `${flag} ${path}`);
    await handle.close();
    throw new UsageError(`${flag} ${path}: was a device and is one no more`);
  }

  async write(content: Content): Promise<void> {
    try {
      await closedAfter(this.#handle, () => writeContent(this.#handle.fd, content));
    } catch (error) {
      if (isErrno(error, 'EPIPE')) return;
      throw new OutputError(`${this.#shown}: not written: ${reasonOf(error)}`);
    }
  }
}

/** By the global, which Node loads when it is first used: node:crypto takes 10 ms of a start. */
function randomName(): string {
  return Buffer.from(globalThis.crypto.getRandomValues(new Uint8Array(8))).toString('hex');
}

/**
 * A file that appears whole under its name or not at all: written under a random name beside it, synced, then linked
 * (`create`, which fails when the name is taken) or renamed over it (`replace`). What SIGKILL leaves is in nobody's way.
 */
class FileOutput implements Output {
  readonly isStdout = false;
  readonly #path: string;
  readonly #temporary: string;
  readonly #handle: FileHandle;
  readonly #how: How;
  readonly #flag: string;
  readonly #remove = (): void => {
    try {
      unlinkSync(this.#temporary);
    } catch (error) {
      if (!isErrno(error, 'ENOENT')) process.stderr.write(`pktcost: left behind: ${this.#temporary}\n`);
    }
  };

  private constructor(path: string, temporary: string, handle: FileHandle, how: How, flag: string) {
    this.#path = path;
    this.#temporary = temporary;
    this.#handle = handle;
    this.#how = how;
    this.#flag = flag;
    process.once('exit', this.#remove);
  }

  static async open(path: string, how: How, mode: number, flag: string): Promise<FileOutput> {
    answerSignals();
    const temporary = join(dirname(path), `.pktcost-${randomName()}.tmp`);
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
    return new FileOutput(path, temporary, await files.open(temporary, flags, mode), how, flag);
  }

  async write(content: Content): Promise<void> {
    try {
      await closedAfter(this.#handle, async () => {
        await writeContent(this.#handle.fd, content);
        await this.#handle.sync();
      });
      if (this.#how === 'create') await claim(this.#temporary, this.#path);
      else await this.#replace();
    } catch (error) {
      this.#remove();
      const reason = isErrno(error, 'EEXIST') ? 'exists by now; nothing was overwritten' : reasonOf(error);
      throw new OutputError(`${this.#flag} ${this.#path}: not written: ${reason}`);
    } finally {
      process.off('exit', this.#remove);
    }
  }

  /** What stands there may have become something else since it was looked at. */
  async #replace(): Promise<void> {
    const there = await statOf(this.#path);
    if (there?.isFile() === false) throw new Error('is no regular file any more');
    await files.rename(this.#temporary, this.#path);
  }
}

/** Gives a file a name that must be free. */
async function claim(temporary: string, path: string): Promise<void> {
  try {
    await files.link(temporary, path);
    await files.unlink(temporary);
  } catch (error) {
    // FAT and some network file systems have no links: an empty file claims the name, and is then replaced.
    if (!isErrno(error, 'EPERM') && !isErrno(error, 'EOPNOTSUPP') && !isErrno(error, 'ENOSYS')) throw error;
    await (await files.open(path, 'wx', 0o600)).close();
    await files.rename(temporary, path);
  }
}

/** Why something was not written, in the words that everything else is refused with. */
export function reasonOf(error: unknown): string {
  const words = error instanceof Error && 'code' in error ? errnoWords(String(error.code)) : undefined;
  if (words !== undefined) return words;
  return error instanceof Error ? error.message.replace(/, \w+(?: '.*)?$/, '') : String(error);
}
