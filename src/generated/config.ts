/* Made from schema/config.v1.json by `npm run generate`: do not edit. */

/**
 * The file given with --config. `pktcost rules explain CODE` lists the thresholds of a rule with their defaults.
 */
export interface Config {
  /**
   * Address of this schema, for editors.
   */
  $schema?: string;
  /**
   * Thresholds to change: code of the rule, then name of the threshold, then its value.
   */
  thresholds?: {
    /**
     * Thresholds of one rule by name.
     */
    [k: string]: {
      /**
       * The value to compare with, in the threshold's unit.
       */
      [k: string]: number;
    };
  };
}
