/** One thing that must hold on a lab guest. */
import { readFileSync } from 'node:fs';
import type { Kit } from '../scenarios/kit/hosts.ts';

export interface Guest {
  readonly kernel: string;
  readonly scene: string;
  readonly kit: Kit;
  /** Keeps a file for whoever reads the results. */
  readonly keep: (name: string, content: string | Uint8Array) => void;
  /** A figure or fact for the matrix. */
  readonly note: (text: string) => void;
  /** What was noted so far. */
  readonly said: () => string;
}

export interface Check {
  readonly id: string;
  /** As docs/SUPPORT.md says it. */
  readonly what: string;
  readonly seconds?: number;
  readonly run: (guest: Guest) => Promise<void> | void;
}

/** The guest cannot show this: neither passed nor failed. */
export class Skip extends Error {
  override readonly name = 'Skip';
}

export function commandLine(name: string): string {
  const found = new RegExp(`(?:^| )lab\\.${name}=(\\S*)`).exec(readFileSync('/proc/cmdline', 'utf8'));
  return found?.[1] ?? '';
}
