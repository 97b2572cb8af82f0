/** Programs whose section names their target (raw_tp, tp_btf, fentry, fexit): linked together or not at all. */
import { ok, type Failure, type Ok } from '../base/result.ts';
import type { Libbpf, LinkFd, LoadedObject, ProgramFd } from './libbpf.ts';

export interface Linked {
  readonly programs: readonly ProgramFd[];
  readonly links: readonly LinkFd[];
}

/** Links the programs in the order given. A failure names the one that would not, and leaves none linked. */
export function linkAll(
  bpf: Libbpf,
  object: LoadedObject,
  names: readonly string[],
): Ok<Linked> | (Failure & { readonly program: string }) {
  const programs: ProgramFd[] = [];
  const links: LinkFd[] = [];
  for (const name of names) {
    const program = object.program(name);
    const link = program.ok ? bpf.linkTracing(program.value, object.rawTracepoint(name)) : program;
    if (!program.ok || !link.ok) {
      for (const made of links) bpf.closeLink(made);
      return { ok: false, program: name, reason: link.ok ? 'not loaded' : link.reason };
    }
    programs.push(program.value);
    links.push(link.value);
  }
  return ok({ programs, links });
}
