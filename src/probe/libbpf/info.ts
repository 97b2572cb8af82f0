/** What the kernel says of the programs and links of the host. */
import { ok, type Result } from '../../base/result.ts';
import type { ProgramRuns } from '../../readings/reading.ts';
import { refused, u32Bytes, type Foreign, type LinkFd, type ProgramFd } from './calls.ts';

const PROG_INFO_BYTES = 232;
const LINK_INFO_BYTES = 64;
/** BPF_LINK_TYPE_RAW_TRACEPOINT */
const RAW_TRACEPOINT = 1;
/** BPF_MAX_SUBPROGS, include/linux/bpf_verifier.h. */
const MOST_SUBPROGRAMS = 256;

/** A program with the places of its compiled code: its own and those of its subprograms. */
export interface LoadedProgram {
  readonly id: number;
  readonly name: string;
  /** enum bpf_prog_type. */
  readonly type: number;
  /** Addresses less 2^64, so that they are exact; lengths in bytes. */
  readonly code: readonly { readonly address: number; readonly length: number }[];
}

/** Type, name and compiled code of a program; no code where the kernel hides its addresses (bpf_dump_raw_ok). */
export function programCode(foreign: Foreign, id: number): Result<LoadedProgram> {
  const fd = foreign.bpf.programById(id);
  if (fd < 0) return refused(foreign, 'bpf_prog_get_fd_by_id', fd);
  try {
    const { addressOf } = foreign.libc;
    const addresses = Buffer.allocUnsafeSlow(MOST_SUBPROGRAMS * 8).fill(0);
    const lengths = Buffer.allocUnsafeSlow(MOST_SUBPROGRAMS * 4).fill(0);
    const info = Buffer.alloc(PROG_INFO_BYTES);
    // struct bpf_prog_info: nr_jited_ksyms at 104, nr_jited_func_lens at 108, the pointers to both at 112 and 120.
    info.writeUInt32LE(MOST_SUBPROGRAMS, 104);
    info.writeUInt32LE(MOST_SUBPROGRAMS, 108);
    info.writeBigUInt64LE(addressOf(addresses), 112);
    info.writeBigUInt64LE(addressOf(lengths), 120);
    const code = foreign.bpf.infoByFd(fd, info, u32Bytes(PROG_INFO_BYTES));
    if (code < 0) return refused(foreign, 'bpf_obj_get_info_by_fd', code);
    const functions = Math.min(info.readUInt32LE(104), info.readUInt32LE(108), MOST_SUBPROGRAMS);
    const end = info.indexOf(0, 64);
    return ok({
      id,
      type: info.readUInt32LE(0),
      name: info.toString('utf8', 64, Math.min(end < 0 ? 80 : end, 80)),
      code: Array.from({ length: functions }, (_, index) => ({
        address: Number(addresses.readBigInt64LE(index * 8)),
        length: lengths.readUInt32LE(index * 4),
      })).filter(({ address }) => address !== 0),
    });
  } finally {
    foreign.libc.close(fd);
  }
}

export function readProgramRuns(foreign: Foreign, program: ProgramFd): Result<ProgramRuns> {
  const info = Buffer.alloc(PROG_INFO_BYTES);
  const code = foreign.bpf.infoByFd(program, info, u32Bytes(PROG_INFO_BYTES));
  if (code < 0) return refused(foreign, 'bpf_obj_get_info_by_fd', code);
  // struct bpf_prog_info: id at 4, name at 64, run_time_ns at 192, run_cnt at 200, recursion_misses (5.12) at 208.
  const end = info.indexOf(0, 64);
  return ok({
    id: info.readUInt32LE(4),
    name: info.toString('utf8', 64, Math.min(end < 0 ? 80 : end, 80)),
    runNs: Number(info.readBigUInt64LE(192)),
    runs: Number(info.readBigUInt64LE(200)),
    missed: Number(info.readBigUInt64LE(208)),
  });
}

/** The device a TCX or XDP link is on; 0 once it has gone. struct bpf_link_info: the ifindex is the first of the union. */
export function linkIfindex(foreign: Foreign, link: LinkFd): Result<number> {
  const info = Buffer.alloc(64);
  const code = foreign.bpf.infoByFd(link, info, u32Bytes(64));
  return code < 0 ? refused(foreign, 'bpf_obj_get_info_by_fd', code) : ok(info.readUInt32LE(16));
}

/** struct bpf_prog_info of a program of the host; its arrays are not asked for. */
export function readProgramInfo(foreign: Foreign, id: number): Result<Uint8Array> {
  return infoOf(foreign, 'bpf_prog_get_fd_by_id', foreign.bpf.programById(id), Buffer.alloc(PROG_INFO_BYTES));
}

/** struct bpf_link_info of a link of the host; `name` gets what a raw tracepoint is called. */
export function readLinkInfo(foreign: Foreign, id: number, name: Uint8Array): Result<Uint8Array> {
  const info = Buffer.alloc(LINK_INFO_BYTES);
  const fd = foreign.bpf.linkById(id);
  const asked = infoOf(foreign, 'bpf_link_get_fd_by_id', fd, info, false);
  // The pointer and the length are those of the raw tracepoint alone: for every other kind these bytes are answers.
  if (!asked.ok || info.readUInt32LE(0) !== RAW_TRACEPOINT) {
    if (fd >= 0) foreign.libc.close(fd);
    return asked;
  }
  info.fill(0);
  info.writeBigUInt64LE(foreign.libc.addressOf(name), 16);
  info.writeUInt32LE(name.length, 24);
  return infoOf(foreign, 'bpf_link_get_fd_by_id', fd, info);
}

function infoOf(foreign: Foreign, what: string, fd: number, info: Buffer, close = true): Result<Uint8Array> {
  if (fd < 0) return refused(foreign, what, fd);
  const code = foreign.bpf.infoByFd(fd, info, u32Bytes(info.length));
  const answer = code < 0 ? refused(foreign, 'bpf_obj_get_info_by_fd', code) : ok(info);
  if (close) foreign.libc.close(fd);
  return answer;
}

export function programNameById(foreign: Foreign, id: number): Result<string> {
  const fd = foreign.bpf.programById(id);
  if (fd < 0) return refused(foreign, 'bpf_prog_get_fd_by_id', fd);
  const runs = readProgramRuns(foreign, fd as ProgramFd);
  foreign.libc.close(fd);
  return runs.ok ? ok(runs.value.name) : runs;
}
