import type { Signal } from '../facts/signal.ts';
import type { SocketHolder } from '../facts/sockets.ts';
import { worded, type Argument } from './finding.ts';

/** A share as text, for a part of a message that is said only where it is known. */
export function asPercent(share: number): string {
  const percent = share * 100;
  if (percent > 0 && percent < 0.01) return '<0.01%';
  return `${percent >= 10 ? Math.round(percent) : Number(percent.toPrecision(2))}%`;
}

/** Whoever holds a socket; nobody, for programs, where nobody is known. */
export function holder({ name, pid }: SocketHolder): Argument {
  return pid === undefined ? worded(null, name) : name;
}

/** `; 1,234 connections came through`, or nothing where they were not counted. */
export function throughText(accepted: Signal | undefined): Argument {
  return accepted === undefined
    ? ''
    : worded(accepted.value, `; ${accepted.value.toLocaleString('en-US')} connections came through`);
}
