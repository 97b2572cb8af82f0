import type { Window } from '../metrics/window.ts';

/**
 * A fact that follows from a window, worked out once for each window, whoever asks: rules, report, a job of its own.
 * @param of pure; what it takes besides the window is plain data, and each value of it has its own answer
 */
export function once<T, A extends readonly unknown[]>(
  of: (window: Window, ...given: A) => T,
): (window: Window, ...given: A) => T {
  const known = new WeakMap<Window, Map<string, { readonly fact: T }>>();
  return (window, ...given) => {
    const facts = known.get(window) ?? new Map<string, { readonly fact: T }>();
    known.set(window, facts);
    const key = JSON.stringify(given);
    const found = facts.get(key) ?? { fact: of(window, ...given) };
    facts.set(key, found);
    return found.fact;
  };
}
