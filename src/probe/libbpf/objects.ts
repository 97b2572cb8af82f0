/** Objects of BPF programs and maps: opened, given their values, loaded, and why the kernel would not. */
import { errnoReason, refusal } from '../../base/errno.ts';
import { fail, ok, type Result } from '../../base/result.ts';
import {
  isNull,
  refused,
  vaListPrinter,
  type BpfMap,
  type BpfObject,
  type BpfProgram,
  type Foreign,
  type Functions,
  type MapFd,
  type ProgramFd,
} from './calls.ts';

const EPERM = 1;
const LOG_BYTES = 1 << 18;

type Prepare = (object: OpenObject) => Result<void>;

/** Loads on libuv's threads. */
const underWay = new Set<Promise<number>>();

/** The last words of a verifier log are the verdict; the rest is the way there. */
function verdictOf(log: Uint8Array): string {
  const end = log.indexOf(0);
  const lines = Buffer.from(log.subarray(0, end < 0 ? log.length : end))
    .toString('utf8')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !/^(processed \d+ insns|verification time|stack depth)/.test(line));
  return lines.slice(-2).join('; ');
}

/** `name` becomes the prefix of the maps' names; `prepare` runs between open and load, where values can still be set. */
export async function loadObject(
  foreign: Foreign,
  name: string,
  bytes: Uint8Array,
  prepare: Prepare,
): Promise<Result<LoadedObject>> {
  const { bpf } = foreign;
  // allocUnsafeSlow: never a slice of the pool, so the address stays good while libbpf keeps it.
  const log = Buffer.allocUnsafeSlow(LOG_BYTES).fill(0);
  const nameBytes = Buffer.allocUnsafeSlow(128).fill(0);
  nameBytes.write(name, 0, 127, 'utf8');
  const opened = open(foreign, bytes, nameBytes, log);
  if (!opened.ok) return opened;
  const prepared = prepare(new OpenObject(bpf, opened.value));
  if (!prepared.ok) {
    bpf.close(opened.value);
    return prepared;
  }
  const loading = new Promise<number>((resolve, reject) => {
    bpf.load.async(opened.value, (error: unknown, result: number) => {
      if (error) reject(error instanceof Error ? error : new Error('bpf_object__load could not be called'));
      else resolve(result);
    });
  });
  underWay.add(loading);
  const code = await loading.finally(() => underWay.delete(loading));
  if (code === 0) return ok(new LoadedObject(bpf, opened.value));
  bpf.close(opened.value);
  const verdict = verdictOf(log);
  // A refusal for want of permission has nothing more to say, and a second load costs 25 ms.
  const silent = verdict === '' && code !== -EPERM;
  // The print callback is libbpf's for all threads: none of the others may meet it.
  while (silent && underWay.size > 0) await Promise.allSettled(underWay);
  const told = silent ? messagesOfRetry(foreign, () => open(foreign, bytes, nameBytes, log), prepare) : verdict;
  return fail(`${name}: the kernel refused to load the program: ${errnoReason(code)}${told === '' ? '' : `; ${told}`}`);
}

function open(foreign: Foreign, bytes: Uint8Array, name: Buffer, log: Buffer): Result<BpfObject> {
  const { addressOf } = foreign.libc;
  // struct bpf_object_open_opts of libbpf 1.0 and later: sz, object_name, ..., kernel_log_buf, _size, _level.
  const options = Buffer.allocUnsafeSlow(80).fill(0);
  options.writeBigUInt64LE(80n, 0);
  options.writeBigUInt64LE(addressOf(name), 8);
  options.writeBigUInt64LE(addressOf(log), 56);
  options.writeBigUInt64LE(BigInt(log.length), 64);
  const object = foreign.bpf.open(bytes, bytes.length, options);
  if (isNull(object)) return refused(foreign, 'libbpf cannot open the object', 0);
  return ok(object as BpfObject);
}

/**
 * libbpf's own messages (a relocation without a match, no BTF) come only through its print callback. Tried on x86-64 only;
 * elsewhere the error number has to do.
 */
function messagesOfRetry({ bpf, koffi }: Foreign, reopen: () => Result<BpfObject>, prepare: Prepare): string {
  if (process.arch !== 'x64') return '';
  const lines: string[] = [];
  const format = vaListPrinter(koffi);
  const text = Buffer.allocUnsafeSlow(512);
  const print = (level: number, template: bigint, values: bigint): number => {
    if (level > 1) return 0;
    const length = format(text, text.length, template, values);
    lines.push(text.toString('utf8', 0, Math.max(0, Math.min(length, text.length - 1))).trim());
    return 0;
  };
  const type = koffi.pointer(koffi.proto('int', ['int', 'void *', 'void *']));
  const callback = koffi.register(print, type);
  bpf.setPrint(callback);
  try {
    const opened = reopen();
    if (opened.ok) {
      if (prepare(new OpenObject(bpf, opened.value)).ok) bpf.load(opened.value);
      bpf.close(opened.value);
    }
  } finally {
    bpf.setPrint(null);
    koffi.unregister(callback);
  }
  return lines
    .filter((line) => line !== '' && !/PROG LOAD LOG|ulimit/.test(line))
    .slice(0, 2)
    .join('; ');
}

/** An object between open and load. */
export class OpenObject {
  readonly #f: Functions;
  readonly #object: BpfObject;

  constructor(functions: Functions, object: BpfObject) {
    this.#f = functions;
    this.#object = object;
  }

  #map(name: string): Result<BpfMap> {
    const map = this.#f.findMap(this.#object, name);
    return isNull(map) ? fail(`the object has no map ${name}`) : ok(map as BpfMap);
  }

  #program(name: string): Result<BpfProgram> {
    const program = this.#f.findProgram(this.#object, name);
    return isNull(program) ? fail(`the object has no program ${name}`) : ok(program as BpfProgram);
  }

  /** The header and layout.ts must agree before a byte is read through the wrong offsets. */
  expectValueSize(name: string, bytes: number): Result<void> {
    const map = this.#map(name);
    if (!map.ok) return map;
    const size = this.#f.mapValueSize(map.value);
    return size === bytes
      ? ok(undefined)
      : fail(`${name} holds ${String(size)} bytes, the reader expects ${String(bytes)}`);
  }

  shareMap(name: string, fd: MapFd): Result<void> {
    const map = this.#map(name);
    if (!map.ok) return map;
    const code = this.#f.reuseMap(map.value, fd);
    return code < 0 ? refusal(code, `${name} cannot be shared`) : ok(undefined);
  }

  setValue(name: string, bytes: Uint8Array): Result<void> {
    const map = this.#map(name);
    if (!map.ok) return map;
    const code = this.#f.setInitialValue(map.value, bytes, bytes.length);
    return code < 0 ? refusal(code, `${name} cannot be set`) : ok(undefined);
  }

  setEntries(name: string, entries: number): Result<void> {
    const map = this.#map(name);
    if (!map.ok) return map;
    const code = this.#f.setMaxEntries(map.value, entries);
    return code < 0 ? refusal(code, `${name} cannot be made that large`) : ok(undefined);
  }

  setFlags(program: string, flags: number): Result<void> {
    const found = this.#program(program);
    if (!found.ok) return found;
    const code = this.#f.setProgramFlags(found.value, flags);
    return code < 0 ? refusal(code, `${program} cannot be given flags`) : ok(undefined);
  }

  skip(program: string): Result<void> {
    const found = this.#program(program);
    if (!found.ok) return found;
    const code = this.#f.setAutoload(found.value, false);
    return code < 0 ? refusal(code, `${program} cannot be left out`) : ok(undefined);
  }
}

/** A loaded object; its descriptors live until `close`. */
export class LoadedObject {
  readonly #f: Functions;
  #object: BpfObject | undefined;

  constructor(functions: Functions, object: BpfObject) {
    this.#f = functions;
    this.#object = object;
  }

  program(name: string): Result<ProgramFd> {
    if (this.#object === undefined) return fail('the object is closed');
    const program = this.#f.findProgram(this.#object, name);
    if (isNull(program)) return fail(`the object has no program ${name}`);
    const fd = this.#f.programFd(program);
    return fd < 0 ? fail(`${name} was not loaded`) : ok(fd as ProgramFd);
  }

  /** The tracepoint of a program in a section `raw_tp/NAME`; null for one that the kernel knows the target of. */
  rawTracepoint(name: string): string | null {
    const program = this.#object === undefined ? undefined : this.#f.findProgram(this.#object, name);
    if (program === undefined || isNull(program)) return null;
    const [kind, tracepoint = null] = this.#f.sectionName(program).split('/');
    return kind === 'raw_tp' ? tracepoint : null;
  }

  map(name: string): Result<MapFd> {
    if (this.#object === undefined) return fail('the object is closed');
    const map = this.#f.findMap(this.#object, name);
    if (isNull(map)) return fail(`the object has no map ${name}`);
    const fd = this.#f.mapFd(map);
    return fd < 0 ? fail(`${name} was not created`) : ok(fd as MapFd);
  }

  close(): void {
    if (this.#object === undefined) return;
    this.#f.close(this.#object);
    this.#object = undefined;
  }
}
