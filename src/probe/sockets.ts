/** The price of each packet socket by fentry and fexit: both directions, every protocol. Needs a kernel that permits it. */
import { variables } from '../generated/kernel-layout.ts';
import { fail, ok, type Result } from '../base/result.ts';
import type { Capabilities } from './capabilities.ts';
import { BILL_BYTES, readBill, readTapTotals, TAPCPU_BYTES } from './layout.ts';
import type { Libbpf, LoadedObject } from './libbpf.ts';
import { linkAll, type Linked } from './tracing.ts';
import type { SocketBill, TapTotals } from '../readings/reading.ts';
import { every, inOrder } from './watched.ts';

/** Function -> its programs, exit first: an exit without an entry counts nothing, the other way round would leave a mark. */
const PAIRS: readonly (readonly [string, readonly string[]])[] = [
  ['packet_rcv', ['pktcost_pkt_out', 'pktcost_pkt_in']],
  ['tpacket_rcv', ['pktcost_ring_out', 'pktcost_ring_in']],
  ['packet_rcv_fanout', ['pktcost_fan_out', 'pktcost_fan_in']],
  ['dev_queue_xmit_nit', ['pktcost_nit_out', 'pktcost_nit_in']],
];
const MAX_SOCKETS = 1024;

export class SocketPrices {
  readonly #bpf: Libbpf;
  readonly #object: LoadedObject;
  readonly linked: Linked;

  private constructor(bpf: Libbpf, object: LoadedObject, linked: Linked) {
    this.#bpf = bpf;
    this.#object = object;
    this.linked = linked;
  }

  static async attach(
    bpf: Libbpf,
    bytes: Buffer,
    sampleEvery: number,
    can: Capabilities,
  ): Promise<Result<SocketPrices>> {
    const there = PAIRS.filter(([name]) => can.tapFunctions.includes(name));
    if (!there.some(([name]) => name === 'tpacket_rcv' || name === 'packet_rcv'))
      return fail('the kernel has no packet_rcv in its BTF (af_packet is a module or missing)');
    const missing = PAIRS.filter(([name]) => !can.tapFunctions.includes(name)).flatMap(([, programs]) => programs);
    const object = await bpf.loadObject('pktcost', bytes, (open) =>
      inOrder(
        () => open.expectValueSize('pktcost_bills', BILL_BYTES),
        () => open.expectValueSize('pktcost_tapcpus', TAPCPU_BYTES),
        () => open.setValue(variables.sampleEvery.section, every(sampleEvery)),
        ...missing.map((program) => () => open.skip(program)),
      ),
    );
    if (!object.ok) return object;
    const linked = linkAll(
      bpf,
      object.value,
      there.flatMap(([, programs]) => programs),
    );
    if (linked.ok) return ok(new SocketPrices(bpf, object.value, linked.value));
    object.value.close();
    return fail(`${linked.program}: ${linked.reason}`);
  }

  setEvery(value: number): Result<void> {
    const map = this.#object.map(variables.sampleEvery.section);
    return map.ok ? this.#bpf.writeOnly(map.value, every(value)) : map;
  }

  read(gaps: string[]): { readonly bills: SocketBill[]; readonly totals: TapTotals } | undefined {
    const cpus = this.#bpf.possibleCpus;
    const map = this.#object.map('pktcost_bills');
    const totalsMap = this.#object.map('pktcost_tapcpus');
    if (!map.ok || !totalsMap.ok) return undefined;
    const totals = Buffer.allocUnsafeSlow(TAPCPU_BYTES * cpus);
    const readTotals = this.#bpf.lookupOnly(totalsMap.value, totals);
    if (!readTotals.ok) {
      gaps.push(`socket totals: ${readTotals.reason}`);
      return undefined;
    }
    const keys = this.#bpf.keys(map.value, 8, MAX_SOCKETS);
    if (!keys.ok) {
      gaps.push(`socket bills: ${keys.reason}`);
      return undefined;
    }
    const bills = keys.value.flatMap((key) => {
      const value = Buffer.allocUnsafeSlow(BILL_BYTES * cpus);
      const read = this.#bpf.lookup(map.value, key, value);
      // A socket's entry is never deleted while we run, so a failure here is worth telling.
      if (!read.ok) gaps.push(`socket bill: ${read.reason}`);
      return read.ok ? [readBill(value, cpus)] : [];
    });
    return { bills, totals: readTapTotals(totals, cpus) };
  }

  close(): void {
    this.#object.close();
  }
}
