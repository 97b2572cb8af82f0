/**
 * What rings of packet sockets had no room for, by a walk over the open files of all tasks (bpf/rings.bpf.c): for kernels that let
 * nobody time packet sockets. A walk takes 0.3 µs for each open file (Linux 6.18: 28 ms of 95,000, 167 ms of 494,000).
 */
import { closeSync, readSync } from 'node:fs';
import { systemRefusal } from '../base/errno.ts';
import { readFileGuarded } from '../base/file.ts';
import { fail, ok, type Result } from '../base/result.ts';
import { ringLayout } from '../generated/kernel-layout.ts';
import type { RingReading } from '../readings/reading.ts';
import type { Libbpf, LoadedObject, ProgramFd } from './libbpf.ts';

/** Some 30 ms, in which nothing else of ours runs. */
const MOST_FILES = 100_000;
const MOST_RINGS = 16_384;

/** `drops` since the owner last asked: po->tp_drops, modulo 2^32. */
interface CountedRing {
  readonly inode: string;
  readonly netns: string;
  readonly drops: number;
}

/** What is lost from the first look on, of counts that their owners set to zero whenever they ask (PACKET_STATISTICS). */
export class CaptureRingLosses {
  #seen: ReadonlyMap<string, { readonly drops: number; readonly lost: number }> | undefined;

  since(rings: readonly CountedRing[]): RingReading[] {
    const before = this.#seen;
    const now = rings.map(({ inode, netns, drops }) => {
      const last = before?.get(inode);
      // One that was not there at the first look has lost all of it since.
      const from = before === undefined ? drops : last !== undefined && drops >= last.drops ? last.drops : 0;
      return { inode, netns, drops, lost: (last?.lost ?? 0) + drops - from };
    });
    this.#seen = new Map(now.map(({ inode, drops, lost }) => [inode, { drops, lost }]));
    return now.map(({ inode, netns, lost }) => ({ inode, netns, lost }));
  }
}

export class CaptureRings {
  readonly #bpf: Libbpf;
  readonly #program: ProgramFd;
  readonly #procfs: string;
  readonly object: LoadedObject;
  readonly #losses = new CaptureRingLosses();

  private constructor(bpf: Libbpf, object: LoadedObject, program: ProgramFd, procfs: string) {
    this.#bpf = bpf;
    this.object = object;
    this.#program = program;
    this.#procfs = procfs;
  }

  /** Fails on kernels before 5.11. */
  static async load(bpf: Libbpf, bytes: Result<Buffer>, procfs: string): Promise<Result<CaptureRings>> {
    if (!bytes.ok) return bytes;
    const object = await bpf.loadObject('pktcost', bytes.value, () => ok(undefined));
    if (!object.ok) return object;
    const program = object.value.program('pktcost_rings');
    if (program.ok) return ok(new CaptureRings(bpf, object.value, program.value, procfs));
    object.value.close();
    return program;
  }

  /** Of every packet socket with a ring that some task has open, whichever namespace it is in; undefined where too much is open. */
  read(): Result<readonly RingReading[] | undefined> {
    if (openFiles(this.#procfs) > MOST_FILES) return ok(undefined);
    const walk = this.#bpf.openWalk(this.#program);
    if (!walk.ok) return walk;
    try {
      const bytes = Buffer.allocUnsafeSlow(MOST_RINGS * ringLayout.bytes);
      let length = 0;
      for (;;) {
        const got = readSync(walk.value, bytes, length, bytes.length - length, null);
        if (got === 0) return ok(this.#losses.since(readCaptureRings(bytes.subarray(0, length))));
        length += got;
        if (length === bytes.length) return fail(`more than ${String(MOST_RINGS)} rings`);
      }
    } catch (error) {
      return systemRefusal(error);
    } finally {
      closeSync(walk.value);
    }
  }
}

/** struct pktcost_ring, one after the other; a socket comes as often as somebody has it open. */
export function readCaptureRings(bytes: Buffer): CountedRing[] {
  const rings = new Map<string, CountedRing>();
  for (let at = 0; at + ringLayout.bytes <= bytes.length; at += ringLayout.bytes) {
    const inode = String(bytes.readBigUInt64LE(at + ringLayout.inode));
    const netns = String(bytes.readUInt32LE(at + ringLayout.netns));
    rings.set(inode, { inode, netns, drops: bytes.readUInt32LE(at + ringLayout.drops) });
  }
  return [...rings.values()];
}

/** /proc/sys/fs/file-nr: open files first. Unread, it is no reason not to look. */
function openFiles(procfs: string): number {
  const bytes = readFileGuarded(`${procfs}/sys/fs/file-nr`, 4096);
  return bytes.ok ? Number.parseInt(bytes.value.toString('latin1'), 10) || 0 : 0;
}
