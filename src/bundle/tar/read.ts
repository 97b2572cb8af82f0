/** Takes apart archives that anybody may have made. */
import { fail, ok, type Result } from '../../base/result.ts';
import { BLOCK, NAME_BYTES, PREFIX_BYTES, types, padding, checksum, plainName } from './format.ts';

/** What an archive may ask of the machine it is read on. */
export interface ArchiveLimits {
  /** Of all members together, headers and padding included. */
  readonly totalBytes: number;
  readonly memberBytes: number;
  readonly members: number;
}
/** A record of long names and the like: real ones have a few hundred bytes. */
const MOST_RECORD_BYTES = 16 * 1024;
/** Where a header, and a map behind it, say that another map of a sparse file follows: `isextended` of GNU tar. */
const MORE_MAPS = 482;
const MORE_MAPS_BEHIND = 504;
/** No type of tar: an entry that is passed over. */
const SKIPPED = -1;

const isPlain = (type: number): boolean => type === types.file || type === types.oldFile || type === types.directory;

const refused: Readonly<Record<string, string>> = {
  '1': 'a hard link',
  '2': 'a symbolic link',
  '3': 'a character device',
  '4': 'a block device',
  '6': 'a FIFO',
  K: 'a link with a long target',
  S: 'a sparse file',
};

/** What to keep of an archive that somebody else made: the rest is passed over, links are noted and devices ignored. */
export interface Selection {
  readonly wanted: (name: string, size: number) => boolean;
}

interface Header {
  readonly type: number;
  readonly name: string;
  readonly size: number;
}

/**
 * Takes an archive apart as it comes, chunk by chunk. Whatever is not plain files under plain relative names is refused
 * with a reason, at once; nothing is ever kept beyond the limits.
 */
export class TarReader {
  readonly #limits: ArchiveLimits;
  readonly #selection: Selection | undefined;
  /** Symbolic links by name, where a selection is made. */
  readonly links = new Map<string, string>();
  #longLink: string | undefined;
  readonly #members = new Map<string, Uint8Array>();
  /** What is left of a chunk that ended within a header. */
  #rest: Uint8Array = new Uint8Array(0);
  #total = 0;
  #headers = 0;
  #longName: string | undefined;
  /** The member or record being filled. */
  #open: { readonly header: Header; readonly bytes: Uint8Array; filled: number; skip: number } | undefined;
  #zeroBlocks = 0;
  /** A sparse file of which maps come before its content. */
  #mapped: Header | undefined;
  /** The next entry is a sparse file as pax has it: its content is not the file. */
  #sparse = false;

  constructor(limits: ArchiveLimits, selection?: Selection) {
    this.#limits = limits;
    this.#selection = selection;
  }

  push(chunk: Uint8Array): Result<undefined> {
    this.#total += chunk.length;
    if (this.#total > this.#limits.totalBytes) {
      return fail(`more than ${this.#limits.totalBytes / 1024 / 1024} MiB unpacked`);
    }
    let at = 0;
    while (at < chunk.length) {
      if (this.#open !== undefined) {
        at = this.#fill(this.#open, chunk, at);
        if (this.#open.filled < this.#open.bytes.length || this.#open.skip > 0) return ok(undefined);
        const { header, bytes } = this.#open;
        this.#open = undefined;
        const closed = this.#close(header, bytes);
        if (!closed.ok) return closed;
        continue;
      }
      const wanted = BLOCK - this.#rest.length;
      if (chunk.length - at < wanted) {
        this.#rest = Buffer.concat([this.#rest, chunk.subarray(at)]);
        return ok(undefined);
      }
      const block =
        this.#rest.length === 0
          ? chunk.subarray(at, at + BLOCK)
          : Buffer.concat([this.#rest, chunk.subarray(at, at + wanted)]);
      this.#rest = new Uint8Array(0);
      at += wanted;
      const begun = this.#begin(block);
      if (!begun.ok) return begun;
    }
    return ok(undefined);
  }

  /** What was taken so far. */
  get taken(): ReadonlyMap<string, Uint8Array> {
    return this.#members;
  }

  /** Everything in it, by name, once the archive has been pushed to its end. */
  end(): Result<ReadonlyMap<string, Uint8Array>> {
    if (this.#zeroBlocks < 2 || this.#rest.length > 0 || this.#mapped !== undefined)
      return fail('cut short: the archive has no end');
    return ok(this.#members);
  }

  #fill(open: { bytes: Uint8Array; filled: number; skip: number }, chunk: Uint8Array, from: number): number {
    let at = from;
    const take = Math.min(open.bytes.length - open.filled, chunk.length - at);
    open.bytes.set(chunk.subarray(at, at + take), open.filled);
    open.filled += take;
    at += take;
    const skip = Math.min(open.skip, chunk.length - at);
    open.skip -= skip;
    return at + skip;
  }

  #begin(block: Uint8Array): Result<undefined> {
    if (this.#mapped !== undefined) {
      if (block[MORE_MAPS_BEHIND] === 0) this.#skip(this.#mapped);
      return ok(undefined);
    }
    if (block.every((byte) => byte === 0)) {
      this.#zeroBlocks += 1;
      return ok(undefined);
    }
    if (this.#zeroBlocks > 0) return fail('data after the end of the archive');
    this.#headers += 1;
    if (this.#headers > this.#limits.members) return fail(`more than ${this.#limits.members} entries`);
    const header = parseHeader(block);
    if (!header.ok) return header;
    const { type, size } = header.value;
    const selecting = this.#selection !== undefined;
    const record =
      (selecting && type === types.gnuLink) || type === types.pax || type === types.paxGlobal || type === types.gnuName;
    if (!record && selecting && (this.#sparse || !isPlain(type))) return this.#passOver(header.value, block);
    if (!record && type !== types.file && type !== types.oldFile && type !== types.directory) {
      const letter = String.fromCharCode(type);
      return fail(`it holds ${refused[letter] ?? `an entry of unknown type ${JSON.stringify(letter)}`}`);
    }
    if (type === types.directory && size > 0) return fail('a directory with content');
    if (!record && this.#selection !== undefined && type !== types.directory) {
      const name = plainName(this.#longName ?? header.value.name);
      if (!name.ok) return name;
      if (!this.#selection.wanted(name.value, size)) return this.#passOver(header.value, block);
    }
    const most = record ? MOST_RECORD_BYTES : this.#limits.memberBytes;
    if (size > most) return fail(`an entry of ${size} bytes, more than ${most}`);
    if (size === 0) return this.#close(header.value, new Uint8Array(0));
    this.#open = { header: header.value, bytes: new Uint8Array(size), filled: 0, skip: padding(size) };
    return ok(undefined);
  }

  /** Skips an entry's content; of a link, where it points to is noted. */
  #passOver(header: Header, block: Uint8Array): Result<undefined> {
    const name = plainName(this.#longName ?? header.name);
    if (!name.ok) return name;
    if (header.type === types.symlink) {
      const target = this.#longLink ?? field(block, 157, NAME_BYTES);
      if (this.#selection?.wanted(name.value, 0) === true) this.links.set(name.value, target);
    }
    this.#longName = undefined;
    this.#longLink = undefined;
    this.#sparse = false;
    if (header.type === types.sparse && block[MORE_MAPS] !== 0) this.#mapped = header;
    else this.#skip(header);
    return ok(undefined);
  }

  #skip({ size }: Header): void {
    this.#mapped = undefined;
    const rest = { type: SKIPPED, name: '', size: 0 };
    if (size > 0) this.#open = { header: rest, bytes: new Uint8Array(0), filled: 0, skip: size + padding(size) };
  }

  #close(header: Header, bytes: Uint8Array): Result<undefined> {
    if (header.type === SKIPPED) return ok(undefined);
    if (header.type === types.gnuLink) {
      const end = bytes.indexOf(0);
      this.#longLink = Buffer.from(end < 0 ? bytes : bytes.subarray(0, end)).toString();
      return ok(undefined);
    }
    if (header.type === types.gnuName) {
      const end = bytes.indexOf(0);
      this.#longName = Buffer.from(end < 0 ? bytes : bytes.subarray(0, end)).toString();
      return ok(undefined);
    }
    if (header.type === types.pax || header.type === types.paxGlobal) {
      const records = parsePax(bytes);
      if (!records.ok) return records;
      // What changes how an archive is read, and no tar writes for small plain files.
      for (const key of records.value.keys()) {
        if (key === 'linkpath' && this.#selection !== undefined) this.#longLink = records.value.get(key);
        else if (key.startsWith('GNU.sparse') && this.#selection !== undefined) this.#sparse = true;
        else if (key === 'size' || key === 'linkpath' || key.startsWith('GNU.sparse'))
          return fail(`a pax record "${key}"`);
      }
      const path = records.value.get('path');
      if (path !== undefined && header.type === types.paxGlobal) return fail('one name for all entries');
      if (path !== undefined) this.#longName = path;
      return ok(undefined);
    }
    const given = this.#longName ?? header.name;
    this.#longName = undefined;
    const name = plainName(given);
    if (!name.ok) return name;
    if (header.type === types.directory || name.value === '') return ok(undefined);
    if (given.endsWith('/')) return bytes.length === 0 ? ok(undefined) : fail('a directory with content');
    // Who added to an archive meant the later one; a bundle is never added to.
    if (this.#selection === undefined && this.#members.has(name.value))
      return fail(`two entries of the name ${JSON.stringify(name.value)}`);
    this.#members.set(name.value, bytes);
    return ok(undefined);
  }
}

function parseHeader(block: Uint8Array): Result<Header> {
  const stored = octal(block, 148, 8);
  if (stored === undefined || stored !== checksum(block)) return fail('not a tar archive, or damaged (checksum)');
  const size = octal(block, 124, 12);
  if (size === undefined || size < 0) return fail('an entry without a size');
  const magic = Buffer.from(block.subarray(257, 262)).toString('latin1');
  const prefix = magic === 'ustar' && block[262] === 0 ? field(block, 345, PREFIX_BYTES) : '';
  const name = field(block, 0, NAME_BYTES);
  return ok({ type: block[156]!, name: prefix === '' ? name : `${prefix}/${name}`, size });
}

function field(block: Uint8Array, at: number, length: number): string {
  const bytes = block.subarray(at, at + length);
  const end = bytes.indexOf(0);
  return Buffer.from(end < 0 ? bytes : bytes.subarray(0, end)).toString();
}

/** Octal digits between blanks, ended by NUL or blank. Base 256, for files beyond 8 GiB, is refused with all that is not. */
function octal(block: Uint8Array, at: number, length: number): number | undefined {
  const match = /^ *([0-7]+)[ \0]*$/.exec(Buffer.from(block.subarray(at, at + length)).toString('latin1'));
  return match === null ? undefined : Number.parseInt(match[1]!, 8);
}

function parsePax(bytes: Uint8Array): Result<ReadonlyMap<string, string>> {
  const records = new Map<string, string>();
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 0; at < buffer.length;) {
    const blank = buffer.indexOf(0x20, at);
    const length = blank < 0 ? NaN : Number(buffer.toString('latin1', at, blank));
    if (!Number.isSafeInteger(length) || length <= blank - at + 1 || at + length > buffer.length) {
      return fail('a malformed pax record');
    }
    const [key, ...value] = buffer.toString('utf8', blank + 1, at + length - 1).split('=');
    records.set(key!, value.join('='));
    at += length;
  }
  return ok(records);
}
