/**
 * Another session of pktcost on the same host. Its programs run between our stamp and our reading of it (the tracepoint's
 * programs in the order of their attach, the TC programs in the reverse), so that our spans contain them and our floor, which was
 * measured before it came, does not.
 */
import type { Libbpf } from './libbpf.ts';

/** Every session has one, attached or resting. */
const EVERYONE_HAS = 'pktcost_recv';

export class Company {
  readonly #bpf: Libbpf;
  readonly #own: number;
  #upTo = 0;
  /** Once there was another, the readings contain it, gone or not. */
  seen = false;

  constructor(bpf: Libbpf, own: number) {
    this.#bpf = bpf;
    this.#own = own;
  }

  /** Ids rise, so a later look needs only the programs that are new. */
  look(): void {
    if (this.seen) return;
    for (;;) {
      const next = this.#bpf.nextProgram(this.#upTo);
      if (next === undefined) return;
      this.#upTo = next;
      if (next === this.#own) continue;
      const name = this.#bpf.programNameById(next);
      // One that went between the two calls is no company.
      if (name.ok && name.value === EVERYONE_HAS) this.seen = true;
    }
  }
}
