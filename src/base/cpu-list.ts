import { fail, ok, type Result } from './result.ts';

/** The highest CPU number taken seriously, and the most CPUs that a file may tell of: four times the kernel's NR_CPUS limit. */
export const MAX_CPU = 32768;
/** What is said of a file that tells of more. */
export const MORE_THAN_ANY = 'more CPUs than any kernel has';

/**
 * CPUs or nodes of a list such as `0-3,8,10-11`, in the order of the list. An empty line is the empty list, and so is
 * `(null)`, which kernels up to 6.12 print for a mask that was never allocated. Source: lib/vsprintf.c:bitmap_list_string.
 */
export function parseCpuList(text: string): Result<readonly number[]> {
  const line = text.trim();
  if (line === '' || line === '(null)') return ok([]);
  const cpus: number[] = [];
  for (const part of line.split(',')) {
    const range = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(part);
    if (range === null) return fail(`not a CPU list: ${JSON.stringify(part.slice(0, 40))}`);
    const first = Number(range[1]);
    const last = range[2] === undefined ? first : Number(range[2]);
    if (last < first || last > MAX_CPU) return fail(`not a CPU range: "${part}"`);
    // The kernel names each once; a list that goes round and round would fill the memory.
    if (cpus.length + last - first > MAX_CPU) return fail('a CPU list longer than any kernel has');
    for (let cpu = first; cpu <= last; cpu += 1) cpus.push(cpu);
  }
  return ok(cpus);
}

/** CPUs as the kernel writes a list: `0-3,8`. */
export function formatCpuList(cpus: readonly number[]): string {
  const sorted = [...new Set(cpus)].sort((a, b) => a - b);
  const parts: string[] = [];
  for (let at = 0; at < sorted.length; at += 1) {
    const first = sorted[at]!;
    while (sorted[at + 1] === sorted[at]! + 1) at += 1;
    const last = sorted[at]!;
    parts.push(first === last ? `${first}` : `${first}-${last}`);
  }
  return parts.join(',');
}
