/** Names of kernel functions by the kernel's own search (bpf/names.bpf.c): microseconds for each, where /proc/kallsyms takes 60 ms. */
import { namesLayout } from '../generated/kernel-layout.ts';
import { ok, type Result } from '../base/result.ts';
import type { Libbpf, LoadedObject, MapFd, ProgramFd } from './libbpf.ts';
import { readObject } from './objects.ts';
import type { Address } from './address.ts';
import { functionName } from './symbols.ts';

const AT_ONCE = (namesLayout.names - namesLayout.addresses) / 8;
const KERNEL_NAME_BYTES = (namesLayout.bytes - namesLayout.names) / AT_ONCE;

export class KernelNames {
  readonly #bpf: Libbpf;
  readonly #object: LoadedObject;
  readonly #program: ProgramFd;
  readonly #map: MapFd;

  private constructor(bpf: Libbpf, object: LoadedObject, program: ProgramFd, map: MapFd) {
    this.#bpf = bpf;
    this.#object = object;
    this.#program = program;
    this.#map = map;
  }

  /** Fails on kernels before 5.14. */
  static async open(bpf: Libbpf, objects: string): Promise<Result<KernelNames>> {
    const bytes = readObject(objects, 'names');
    if (!bytes.ok) return bytes;
    const object = await bpf.loadObject('pktcost', bytes.value, (opened) =>
      opened.expectValueSize('pktcost_names', namesLayout.bytes),
    );
    if (!object.ok) return object;
    const [program, map] = [object.value.program('pktcost_name'), object.value.map('pktcost_names')];
    if (program.ok && map.ok) return ok(new KernelNames(bpf, object.value, program.value, map.value));
    object.value.close();
    return program.ok ? (map as Result<never>) : program;
  }

  /** An address that lies in no function is left out. */
  name(addresses: Iterable<Address>): Result<ReadonlyMap<Address, string>> {
    const names = new Map<Address, string>();
    const all = [...new Set(addresses)];
    const bytes = Buffer.alloc(namesLayout.bytes);
    for (let from = 0; from < all.length; from += AT_ONCE) {
      const some = all.slice(from, from + AT_ONCE);
      bytes.fill(0);
      for (const [index, address] of some.entries())
        bytes.writeBigUInt64LE(BigInt.asUintN(64, BigInt(address)), namesLayout.addresses + index * 8);
      const written = this.#bpf.writeOnly(this.#map, bytes);
      const run = written.ok ? this.#bpf.runProgram(this.#program) : written;
      const read = run.ok ? this.#bpf.lookupOnly(this.#map, bytes) : run;
      if (!read.ok) return read;
      for (const [index, address] of some.entries()) {
        const name = nameIn(bytes, namesLayout.names + index * KERNEL_NAME_BYTES);
        if (name !== undefined) names.set(address, name);
      }
    }
    return ok(names);
  }

  close(): void {
    this.#object.close();
  }
}

/** lib/vsprintf.c:symbol_string: `name`, `name [module]`, or the address where there is none. */
export function nameIn(bytes: Buffer, at: number): string | undefined {
  const text = bytes.toString('latin1', at, at + KERNEL_NAME_BYTES);
  const name = /^[^\0 ]+/.exec(text)?.[0];
  return name === undefined || name.startsWith('0x') ? undefined : functionName(name);
}
