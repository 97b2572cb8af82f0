/** Where the JIT put the host's BPF programs: the tags in kallsyms are shared by copies, the ranges of bpf_prog_info are not. */
import type { Libbpf, LoadedProgram } from '../libbpf.ts';
import type { Address } from '../address.ts';

/** The host's own limit is higher; a host with more is not searched for the rest. */
const MOST_PROGRAMS = 2000;

export interface ProgramRange {
  readonly from: Address;
  readonly to: Address;
  readonly program: LoadedProgram;
}

export function programRanges(bpf: Libbpf): readonly ProgramRange[] {
  const ranges: ProgramRange[] = [];
  let id: number | undefined = 0;
  for (let looked = 0; looked < MOST_PROGRAMS; looked += 1) {
    id = bpf.nextProgram(id);
    if (id === undefined) break;
    const program = bpf.programCode(id);
    // Gone since, or its addresses are hidden: its frames keep the name that kallsyms has.
    if (!program.ok) continue;
    for (const { address, length } of program.value.code)
      ranges.push({ from: address, to: address + length, program: program.value });
  }
  return ranges.sort((a, b) => a.from - b.from);
}

export function programAt(ranges: readonly ProgramRange[], address: Address): LoadedProgram | undefined {
  let low = 0;
  let high = ranges.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ranges[middle]!.to <= address) low = middle + 1;
    else high = middle;
  }
  const range = ranges[low];
  return range !== undefined && range.from <= address ? range.program : undefined;
}
