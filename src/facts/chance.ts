/** 95 of 100 measurements lie within so many standard errors. */
export const Z95 = 1.96;

/** A share of so many samples is within plus or minus this, 95 times in 100. */
export function errorOfShare(share: number, samples: number): number {
  return Z95 * Math.sqrt((share * (1 - share)) / samples);
}

/** What a Poisson count of so many may have been the chance of, with nothing seen as with much. */
export function mostOf(count: number): number {
  return count + 3 + Z95 * Math.sqrt(count);
}
