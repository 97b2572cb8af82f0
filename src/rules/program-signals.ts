import {
  deviceProgram,
  profileProgramSamples,
  programHolder,
  programInfo,
  programLink,
  programNanoseconds,
  programRuns,
} from '../metrics/catalogue/index.ts';
import { everywhere, increase, value } from '../metrics/expression.ts';
import { optionalList } from './rule.ts';

/** BPF programs that the profile met, and what is known of them. */
export const programSignals = {
  programs: optionalList(increase(profileProgramSamples)),
  known: optionalList(value(programInfo)),
  onDevices: optionalList(everywhere(value(deviceProgram))),
  linked: optionalList(value(programLink)),
  holders: optionalList(value(programHolder)),
  runs: optionalList(value(programRuns)),
  runNs: optionalList(value(programNanoseconds)),
} as const;
