/**
 * What spans, profile and the counter of drops may take of the host's CPU time together (`--max-overhead`). Each says what it takes, and
 * keeps below what the others leave it.
 */

export type OverheadPart = 'spans' | 'profile' | 'drops';

export class Overhead {
  readonly limit: number;
  readonly #shares = new Map<OverheadPart, () => number>();

  /** Of all CPU time: 0.01 is one per cent. */
  constructor(limit: number) {
    this.limit = limit;
  }

  /** From now on this part takes what `share` says whenever it is asked. */
  takes(part: OverheadPart, share: () => number): void {
    this.#shares.set(part, share);
  }

  /** What the other parts leave to this one. */
  left(part: OverheadPart): number {
    const others = [...this.#shares].reduce((sum, [other, share]) => (other === part ? sum : sum + share()), 0);
    return Math.max(0, this.limit - others);
  }

  /** The limit as a reason says it, with what the others take of it. */
  said(part: OverheadPart): string {
    const [all, left] = [percent(this.limit), percent(this.left(part))];
    return all === left ? `the budget of ${all}` : `what is left of the budget of ${all}: ${left}`;
  }
}

export function percent(share: number): string {
  return `${(share * 100).toFixed(2)}%`;
}
