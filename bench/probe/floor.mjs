/**
 * The floor of the `taps` span by sampling rate: on veth without a tap under UDP and TCP, and as floor.ts calibrates it on a
 * private lo beside that load. The figures in floor.ts and bench/probe/README.md come from here.
 *
 *   node bench/probe/floor.mjs
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Lab } from '../../build/test/probe/lab.js';
import { readCapabilities } from '../../build/src/probe/capabilities.js';
import { calibrateFloor } from '../../build/src/probe/floor.js';
import { summarise } from '../../build/src/readings/histogram.js';
import { planDevices } from '../../build/src/probe/plan.js';
import { subtractReadings } from '../../build/src/readings/reading.js';
import { openSession } from '../../build/src/probe/session.js';

const can = readCapabilities();
const unwrap = (result) => {
  if (!result.ok) throw new Error(result.reason);
  return result.value;
};

for (const kind of /** @type {const} */ (['idle', 'udp', 'tcp'])) {
  const lab = new Lab();
  try {
    await lab.serve();
    for (const sampleEvery of [1, 16, 64]) {
      const session = unwrap(
        await openSession({
          plans: planDevices([lab.facts()], { probe: 'auto' }, can),
          capabilities: can,
          sampleEvery,
        }),
      );
      const load = kind === 'idle' ? undefined : lab.traffic(kind, 3);
      await sleep(500);
      const before = session.read();
      await sleep(1000);
      const after = session.read();
      const span = summarise(subtractReadings(before, after).devices[0].spans[0]);
      const began = performance.now();
      const calibrated = unwrap(await calibrateFloor(session));
      const took = performance.now() - began;
      await load;
      await session.close();
      const r = Math.round;
      console.log(
        `${kind} 1:${sampleEvery}  veth p50 ${span ? r(span.p50Ns) : '-'} avg ${span ? r(span.avgNs) : '-'} | lo p50 ${r(calibrated.p50Ns)} avg ${r(calibrated.avgNs)} of ${calibrated.samples}, ${r(took)} ms`,
      );
    }
  } finally {
    await lab.close();
  }
}
