/**
 * A process which measures a device in shifts: `node rester.js DEVICE SECONDS end|rest [NAMESPACE]`, the namespace by its path, else its
 * own. With `rest` it says `resting` when the device's program is away, and waits for a word. Then it says as JSON what it read and how it closed.
 */
import { once } from 'node:events';
import { readFileSync, statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { ok } from '../../src/base/result.ts';
import { askInNamespace } from '../../src/ffi/namespaces.ts';
import { readCapabilities } from '../../src/probe/capabilities.ts';
import type { CloseReport } from '../../src/probe/close.ts';
import { ownNetns, readDeviceFacts } from '../../src/probe/facts.ts';
import { planDevices } from '../../src/probe/plan.ts';
import { openSession, type ProbeSession } from '../../src/probe/session.ts';
import { Shifts } from '../../src/probe/shifts.ts';
import { subtractReadings, type DeviceReading } from '../../src/readings/reading.ts';

export interface Rested {
  readonly device: DeviceReading;
  /** Frames by the device's own counter. */
  readonly frames: number;
  readonly staying: string | null;
  readonly programs: readonly number[];
  readonly closed: CloseReport;
}

const [name = '', seconds = '6', until = 'end', path] = process.argv.slice(2);

function frames(): number {
  const table = askInNamespace(path, () => ok(readFileSync('/proc/net/dev', 'utf8')));
  if (!table.ok) throw new Error(table.reason);
  const line = table.value.split('\n').find((each) => each.includes(`${name}:`));
  return Number(line?.split(':')[1]?.trim().split(/\s+/)[1] ?? 0);
}

const away = ({ devices }: ProbeSession): boolean => devices[0]?.tc[0]?.link === undefined;

const where = path === undefined ? ownNetns() : { id: String(statSync(path).ino), path };
const facts = readDeviceFacts(where, [name]);
if (!facts.ok) throw new Error(facts.reason);
const capabilities = readCapabilities();
const plans = planDevices(facts.value, { probe: 'taps' }, capabilities);
// How fast the machine is decides nothing here.
const opened = await openSession({ plans, capabilities, slowChangeMs: 60_000 });
if (!opened.ok) throw new Error(opened.reason);
const session = opened.value;
const programs = session.programIds();
const shifts = new Shifts(session, Number(seconds));
session.beginWindow();
const [first, from] = [session.read(), frames()];
shifts.start();
const began = performance.now();
const left = (): number => Number(seconds) * 1000 - (performance.now() - began);
if (until === 'end') await sleep(left());
else {
  while (!away(session) && left() > 0) await sleep(5);
  process.stdout.write('resting\n');
  await once(process.stdin, 'data');
}
const [last, to] = [session.read(), frames()];
await shifts.stop();
const closed = await session.close();
const [device] = subtractReadings(first, last).devices;
const said = { device, frames: to - from, staying: session.rests.stays ?? null, programs, closed };
process.stdout.write(`${JSON.stringify(said)}\n`);
process.exit();
