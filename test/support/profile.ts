import type { ProfileAnswer, ProgramRow, StackRow } from '../../src/profile/stacks.ts';

interface Spec extends Partial<Omit<ProfileAnswer, 'stacks' | 'functions' | 'programs'>> {
  readonly stacks: readonly (Partial<StackRow> &
    Pick<StackRow, 'direction' | 'samples'> & { readonly stack: string })[];
  /** Functions of this name are these programs. */
  readonly programs?: Readonly<Record<string, ProgramRow>>;
}

/** The answer of a sampler, with its stacks in words. */
export function answerOf({ stacks, programs = {}, ...rest }: Spec): ProfileAnswer {
  const names: string[] = [];
  const indexOf = (name: string): number => {
    const at = names.indexOf(name);
    return at >= 0 ? at : names.push(name) - 1;
  };
  const rows = stacks.map(({ stack, ...row }) => ({
    cpu: 0,
    pid: 0,
    device: null,
    ...row,
    functions: stack.split(';').map(indexOf),
  }));
  return {
    version: 1,
    clock: 'cpu-clock',
    periodNs: 1e6,
    seconds: 10,
    cpus: 2,
    online: 2,
    samples: rows.reduce((sum, { samples }) => sum + samples, 0),
    lost: { stacks: 1, table: 0, symbols: 2 },
    ownNs: null,
    ownPid: 1,
    functions: names.map((name) => ({ name, program: programs[name]?.id ?? null })),
    stacks: rows,
    processes: [],
    programs: Object.values(programs),
    devices: [],
    ...rest,
  };
}
