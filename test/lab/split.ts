/** A probe session of its own that tells driver from stack in every run: emulated machines are too slow for samples of samples. */
import assert from 'node:assert/strict';
import { readCapabilities } from '../../src/probe/capabilities.ts';
import { readDeviceFacts, type NetnsTarget } from '../../src/probe/facts.ts';
import { planDevices } from '../../src/probe/plan.ts';
import { subtractReadings } from '../../src/readings/reading.ts';
import { openSession } from '../../src/probe/session.ts';
import { pause } from '../scenarios/kit/hosts.ts';

/** Nanoseconds per packet on either side of the stack's entrance, in words. */
export async function driverAndStack(target: NetnsTarget, device: string): Promise<string> {
  const capabilities = readCapabilities();
  const facts = readDeviceFacts(target, [device]);
  assert.ok(facts.ok, facts.ok ? '' : facts.reason);
  const plans = planDevices(facts.value, { probe: 'auto' }, capabilities);
  const opened = await openSession({ plans, capabilities, netRxEvery: 1 });
  assert.ok(opened.ok, opened.ok ? '' : opened.reason);
  const session = opened.value;
  try {
    session.tracepoints.join();
    assert.equal(session.tracepoints.refused, undefined);
    const first = session.read();
    await pause(3000);
    const { cpus, attach } = subtractReadings(first, session.read());
    assert.deepEqual(
      attach.filter(({ span }) => span === 'driver'),
      [],
    );
    const total = (of: (cpu: (typeof cpus)[number]) => number | undefined): number =>
      cpus.reduce((sum, cpu) => sum + (of(cpu) ?? 0), 0);
    const skbs = total(({ splitSkbs }) => splitSkbs);
    const [all, stack] = [total(({ splitNs }) => splitNs), total(({ splitStackNs }) => splitStackNs)];
    assert.ok(skbs > 100, `${String(skbs)} packets in runs that were split`);
    assert.ok(stack > 0 && stack < all, `${String(stack)} of ${String(all)} ns in the stack`);
    return `driver and GRO ${((1 - stack / all) * 100).toFixed(0)} % of NET_RX, over ${String(skbs)} packets`;
  } finally {
    await session.close();
  }
}
