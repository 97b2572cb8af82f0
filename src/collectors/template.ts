import { templateEvents } from '../metrics/catalogue/template.ts';
import { fail, ok, type Result } from '../base/result.ts';
import { defineCollector } from './collector.ts';
import { U64_MAX, wholeLines } from './cursor.ts';

const file = '/proc/template';

/** TODO: what `npm run new:collector` begins with. It is compiled and tested like any collector, and no sample runs it. */
export const template = defineCollector({
  id: 'template',
  turn: 1000, // TODO beside what it is divided by; see the other collectors
  scope: 'host', // TODO 'netns' if every network namespace has its own, and then perNetns in its metrics
  reads: [file],
  collect(host, emit) {
    // Absence is normal here. For a file that must be there host.parse() notes the gap by itself.
    const counts = host.parseIfPresent(file, parseTemplate);
    if (counts === undefined) {
      host.notApplicable(file, 'TODO why a host has nothing of the kind');
      return;
    }
    for (const { name, events } of counts) emit(templateEvents, { name }, events);
  },
});

interface Count {
  readonly name: string;
  readonly events: number;
}

/** Parses TODO: a name and a number on each line. Source: TODO the kernel's file and function. */
export function parseTemplate(bytes: Uint8Array): Result<readonly Count[]> {
  const whole = wholeLines(bytes);
  if (!whole.ok) return whole;
  const cursor = whole.value;
  const counts: Count[] = [];
  while (!cursor.done) {
    const at = cursor.at;
    const name = cursor.word();
    const events = cursor.unsigned(U64_MAX);
    if (!/^\w+$/.test(name) || events === undefined || cursor.moreOnLine()) return fail('no name and number', at);
    counts.push({ name, events });
    cursor.nextLine();
  }
  return ok(counts);
}
